import { changeOf, identityOf, type SourceEntry } from '../files/source-entry.ts';
import { FILE } from '../files/file-constants.ts';
import type { OpenFile } from '../files/open-file.ts';
import type { BlockHash } from '../protocol/block-hash.ts';
import { malformed } from '../protocol/field-reader.ts';
import { BLOCK_BYTES, blockCount, blockLength } from '../protocol/limits.ts';
import type { Block } from '../protocol/message.ts';
import { MerkleRoot } from '../protocol/merkle-root.ts';
import { sealOf } from '../protocol/seal.ts';
import { TransferError } from '../transfer-error.ts';
import type { BlockPool } from '../wire/block-pool.ts';
import type { MessageWire } from '../wire/message-wire.ts';
import { WantedBlocks } from './wanted-blocks.ts';
import { BlockReader } from './block-reader.ts';

/** What one file's sending shares with the others'. */
export interface SenderContext {
  readonly wire: MessageWire;
  readonly hash: BlockHash;
  readonly pool: BlockPool;
  /** Waits until so many bytes may be on their way. */
  admit(bytes: number): Promise<void>;
}

/** One file on its way out. */
export class SenderFile {
  readonly source: SourceEntry;
  /** The root of what was sent, once all of it was. */
  root: Buffer | undefined;
  /** Bytes of content that went out with the announcement and were not answered yet. */
  unansweredBytes = 0;
  readonly #context: SenderContext;
  #file: OpenFile | undefined;
  /** Of the source as it was opened. */
  #ctimeNs = 0n;
  #isOver = false;
  #accepts = 0;
  /** Blocks that were announced since it was accepted. */
  #announced = 0;
  #hasEnded = false;
  #wanted: WantedBlocks | undefined;
  #isRepairing = false;

  constructor(context: SenderContext, source: SourceEntry) {
    this.#context = context;
    this.source = source;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get #id(): number {
    return this.source.entry.id;
  }

  get #size(): number {
    return this.source.entry.size;
  }

  /**
   * The receiver takes it: once, and once more behind END where what it compared differs.
   *
   * @throws FrameMalformedError for an answer that has no place here
   */
  accept(keptBlocks: number): void {
    const isInPlace = this.#accepts === 0 || (this.#accepts === 1 && this.#hasEnded);
    if (!isInPlace) malformed(`file ${this.#id} was accepted already`);
    const blocks = blockCount(this.#size);
    if (keptBlocks > blocks) malformed(`${keptBlocks} kept of ${blocks} blocks`);
    this.#accepts++;
    this.#announced = 0;
    this.#hasEnded = false;
    this.#wanted = undefined;
    this.root = undefined;
  }

  /**
   * Sends all blocks but those that the receiver keeps, whose hashes it sends. Reading, hashing and
   * sending go on at the same time.
   *
   * @throws TransferError `source-changed`, `source-failed`
   */
  async stream(keptBlocks: number): Promise<void> {
    const tree = new MerkleRoot(this.#context.hash, this.#size);
    const blocks = blockCount(this.#size);
    const file = await this.#open();
    const { sparse } = this.source.entry;
    // A sparse source is asked for its holes before each block.
    const reader = new BlockReader(file, this.#size, this.#context.pool, !sparse);
    try {
      for (let index = 0; index < blocks && !this.#isOver; ) {
        const hole = sparse && index >= keptBlocks ? await this.#holeAt(file, index) : 0;
        if (hole > 0) {
          await this.#sendHole(tree, index, hole);
          index += hole;
          continue;
        }
        const buffer = await failedSource(() => reader.take(index));
        await this.#sendBlock(tree, buffer, index, index < keptBlocks);
        index++;
      }
    } finally {
      await reader.close();
    }
    if (!this.#isOver) await this.#end(file, tree);
  }

  async #open(): Promise<OpenFile> {
    if (this.#file !== undefined) return this.#file;
    const { root, below, identity } = this.source;
    const file = await failedSource(() =>
      root.openFile(below, FILE.O_RDONLY | FILE.O_NONBLOCK | FILE.O_NOFOLLOW),
    );
    const stat = await file.stat();
    const change = changeOf(identity, identityOf(stat));
    if (change !== undefined || this.#isOver) {
      await file.close();
      throw new TransferError('source-changed', change ?? 'it was given up');
    }
    this.#file = file;
    this.#ctimeNs = stat.ctimeNs;
    return file;
  }

  async #sendBlock(tree: MerkleRoot, buffer: Buffer, index: number, isKept: boolean) {
    const { wire, hash, pool } = this.#context;
    const payload = buffer.subarray(0, blockLength(this.#size, index));
    const digest = hash.digest(payload);
    tree.push(digest);
    this.#announced = index + 1;
    if (isKept) {
      pool.release(buffer);
      await wire.send({ type: 'digest', id: this.#id, index, hash: digest });
      return;
    }
    await this.#send('block', buffer, index, digest);
  }

  async #send(type: 'block' | 'repair', buffer: Buffer, index: number, hash: Buffer) {
    const { pool } = this.#context;
    const payload = buffer.subarray(0, blockLength(this.#size, index));
    await this.#context.admit(payload.length);
    if (this.#isOver) {
      pool.release(buffer);
      return;
    }
    const block = { type, id: this.#id, index, hash, payload };
    const sent = this.#transmit(block).finally(() => pool.release(buffer));
    // The budget limits what waits, so the next block is prepared meanwhile.
    sent.catch(() => undefined);
  }

  /** A repair goes out as it was hashed; the first time the kernel may take it from the file. */
  #transmit(block: Block): Promise<void> {
    const { wire } = this.#context;
    const file = this.#file;
    if (block.type === 'repair' || file === undefined || !wire.canSendFile) return wire.send(block);
    const range = { offset: block.index * BLOCK_BYTES, count: block.payload.length };
    return file.use((fd) => wire.sendFileBlock(block, { fd, ...range }));
  }

  async #holeAt(file: OpenFile, index: number): Promise<number> {
    const at = index * BLOCK_BYTES;
    const data = (await file.seek('data', at)) ?? this.#size;
    if (data >= this.#size) return blockCount(this.#size) - index;
    return Math.floor((data - at) / BLOCK_BYTES);
  }

  async #sendHole(tree: MerkleRoot, index: number, count: number): Promise<void> {
    tree.pushZeros(count);
    this.#announced = index + count;
    await this.#context.wire.send({ type: 'hole', id: this.#id, index, count });
  }

  /** The last look at the source: what was sent is one state of it. */
  async #end(file: OpenFile, tree: MerkleRoot): Promise<void> {
    const stat = await failedSource(() => file.stat());
    const change = changeOf(this.source.identity, identityOf(stat));
    if (change !== undefined) throw new TransferError('source-changed', change);
    const { wire, hash } = this.#context;
    const root = tree.digest();
    if (stat.ctimeNs !== this.#ctimeNs) await this.#checkContent(file, root, stat.ctimeNs);
    if (this.#isOver) return;
    this.root = root;
    this.#hasEnded = true;
    const seal = sealOf(hash, this.source.entry, root);
    await wire.send({ type: 'end', id: this.#id, root, seal });
  }

  /**
   * Something of the source was changed, but not its time of change: its name, its mode, its links, or
   * its content, and its time put back. Only another reading tells.
   */
  async #checkContent(file: OpenFile, root: Buffer, ctimeNs: bigint): Promise<void> {
    const { hash, pool } = this.#context;
    const tree = new MerkleRoot(hash, this.#size);
    const reader = new BlockReader(file, this.#size, pool, true);
    try {
      for (let index = 0; index < blockCount(this.#size) && !this.#isOver; index++) {
        const buffer = await failedSource(() => reader.take(index));
        tree.push(hash.digest(buffer.subarray(0, blockLength(this.#size, index))));
        pool.release(buffer);
      }
    } finally {
      await reader.close();
    }
    if (this.#isOver) return;
    const stat = await failedSource(() => file.stat());
    if (stat.ctimeNs === ctimeNs && tree.digest().equals(root)) return;
    throw new TransferError('source-changed', 'it was written to, and its time put back');
  }

  /** A block came damaged. @throws FrameMalformedError where it can't have, or is wanted already */
  want(index: number): void {
    if (index >= this.#announced) malformed(`block ${index} of file ${this.#id} was not announced`);
    this.#wanted ??= new WantedBlocks(blockCount(this.#size));
    if (!this.#wanted.add(index)) malformed(`block ${index} of file ${this.#id} is wanted already`);
  }

  /** Sends again what is wanted, one block after the other. */
  async repair(): Promise<void> {
    if (this.#isRepairing) return;
    this.#isRepairing = true;
    for (;;) {
      const index = this.#isOver ? undefined : this.#wanted?.take();
      if (index === undefined) break;
      await this.#repairBlock(index);
    }
    this.#isRepairing = false;
  }

  async #repairBlock(index: number): Promise<void> {
    const { pool } = this.#context;
    const reader = new BlockReader(await this.#open(), this.#size, pool, false);
    const buffer = await failedSource(() => reader.take(index));
    const payload = buffer.subarray(0, blockLength(this.#size, index));
    await this.#send('repair', buffer, index, this.#context.hash.digest(payload));
  }

  /** The receiver has it or doesn't want it, or we gave it up. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#file?.close();
  }
}

/** An error of the file system's, as the reason that the receiver gets. */
async function failedSource<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof TransferError) throw cause;
    const { message } = cause as Error;
    throw new TransferError('source-failed', message, { cause });
  }
}

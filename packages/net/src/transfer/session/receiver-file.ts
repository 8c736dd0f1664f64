import { BlockLedger } from '../protocol/block-ledger.ts';
import type { BlockHash } from '../protocol/block-hash.ts';
import { malformed } from '../protocol/field-reader.ts';
import { BLOCK_BYTES, blockLength } from '../protocol/limits.ts';
import type { Entry, Message, Whole } from '../protocol/message.ts';
import { MerkleRoot } from '../protocol/merkle-root.ts';
import { sealOf } from '../protocol/seal.ts';
import type { SinkFile, TransferSink } from '../sink.ts';
import { TransferError } from '../transfer-error.ts';
import type { BlockPool } from '../wire/block-pool.ts';
import type { MessageWire, ReceivedBlock } from '../wire/message-wire.ts';

/** What one file's receiving shares with the others'. */
export interface ReceiverContext {
  readonly wire: MessageWire;
  readonly hash: BlockHash;
  readonly pool: BlockPool;
  readonly sink: TransferSink;
  /** So many payload bytes were dealt with, whatever became of them. */
  confirm(bytes: number): void;
  /** So many bytes of the file are where they belong. */
  progress(bytes: number): void;
  /** So many bytes of a whole file are not kept any more. */
  releaseWhole(bytes: number): void;
}

type End = Extract<Message, { type: 'end' }>;

/** How a file ended well. */
export interface Finished {
  readonly how: 'written' | 'identical';
  readonly root: Buffer;
}

/**
 * One file on its way in. Its methods are called in the order of the messages and start work that
 * goes on beside; `whenOver` gets the outcome once, when all that work is done.
 */
export class ReceiverFile {
  readonly entry: Entry;
  readonly #context: ReceiverContext;
  readonly #whenOver: (outcome: Finished | { error: unknown }) => void;
  #target: SinkFile | undefined;
  #ledger: BlockLedger | undefined;
  #running = 0;
  #end: End | undefined;
  #error: { error: unknown } | undefined;
  #hasDifference = false;
  #isOver = false;
  #isFinishing = false;
  #whenFailed: (() => void) | undefined;

  constructor(
    context: ReceiverContext,
    entry: Entry,
    whenOver: (outcome: Finished | { error: unknown }) => void,
  ) {
    this.#context = context;
    this.entry = entry;
    this.#whenOver = whenOver;
  }

  /**
   * Opens the target, once the directory above it is there and it may be open, and accepts the file.
   *
   * @param turn settles when it may be open; undefined: it may
   */
  open(parent: Promise<void>, turn?: Promise<void>): void {
    this.#run(async () => {
      await this.#ready(parent, turn);
      this.#accept(await this.#context.sink.open(this.entry));
    });
  }

  /** Takes a file that came with its content, or accepts it as any other. */
  openWhole(parent: Promise<void>, whole: Whole, turn?: Promise<void>): void {
    this.#run(async () => {
      let answer: () => void;
      try {
        await this.#ready(parent, turn);
        answer = await this.#takeWhole(whole);
      } finally {
        this.#context.confirm(whole.payload.length);
        this.#context.releaseWhole(whole.payload.length);
      }
      // Not before its room is free: the answer allows the sender the next one.
      answer();
    });
  }

  /** One that fails before it may be open doesn't wait for others to be over. */
  async #ready(parent: Promise<void>, turn: Promise<void> | undefined): Promise<void> {
    if (turn !== undefined) {
      await Promise.race([turn, new Promise<void>((resolve) => (this.#whenFailed = resolve))]);
      if (this.#error !== undefined) throw this.#error.error;
    }
    await parent;
    if (this.#error !== undefined) throw this.#error.error;
  }

  async #takeWhole({ payload, root, seal }: Whole): Promise<() => void> {
    const { sink, hash } = this.#context;
    const tree = new MerkleRoot(hash, this.entry.size);
    if (payload.length > 0) tree.push(hash.digest(payload));
    const isRight = tree.digest().equals(root) && sealOf(hash, this.entry, root).equals(seal);
    if (isRight && (await sink.putWhole?.(this.entry, payload)) === true) {
      return () => this.#put(root);
    }
    const target = await sink.open(this.entry);
    // Damaged, or something is there already: block by block, then.
    if (!isRight || target.isComparison || target.keptBlocks > 0) {
      return () => this.#accept(target);
    }
    this.#target = target;
    if (payload.length > 0) await target.write(payload, 0, false);
    this.#target = undefined;
    await target.commit();
    return () => this.#put(root);
  }

  #put(root: Buffer): void {
    this.#context.progress(this.entry.size);
    this.#over({ how: 'written', root: Buffer.from(root) });
  }

  #accept(target: SinkFile): void {
    this.#target = target;
    if (this.#error !== undefined) return;
    const { keptBlocks } = target;
    this.#end = undefined;
    this.#hasDifference = false;
    this.#ledger = new BlockLedger(this.#context.hash, this.entry.size, keptBlocks);
    void this.#context.wire.send({ type: 'accept', id: this.entry.id, keptBlocks });
  }

  /** The ledger, which the sender may only use once the file was accepted. */
  get #accepted(): BlockLedger {
    return this.#ledger ?? malformed(`file ${this.entry.id} wasn't accepted yet`);
  }

  /** The sender's hash of a block that is kept here. Takes back a buffer when it is done. */
  onDigest(index: number, hash: Buffer, buffer: Buffer): void {
    const ledger = this.#accepted;
    ledger.announceKept(index);
    this.#run(async () => {
      try {
        const length = blockLength(this.entry.size, index);
        const kept = buffer.subarray(0, length);
        const count = await (this.#target as SinkFile).readKept(index * BLOCK_BYTES, kept);
        const isSame = count === length && this.#context.hash.digest(kept).equals(hash);
        if (isSame) this.#settled(ledger, index, hash);
        else this.#damaged(ledger, index);
      } finally {
        this.#context.pool.release(buffer);
      }
    });
  }

  /** A block's bytes. Takes back the message's buffer when it is done. */
  onBlock(block: ReceivedBlock): void {
    const ledger = this.#accepted;
    const { index, payload, hash } = block;
    if (block.type === 'block') ledger.announceBlock(index, payload.length);
    else ledger.announceRepair(index, payload.length);
    this.#run(async () => {
      try {
        if (!this.#context.hash.digest(payload).equals(hash)) this.#damaged(ledger, index);
        else {
          const again = block.type === 'repair';
          await (this.#target as SinkFile).write(payload, index * BLOCK_BYTES, again);
          this.#settled(ledger, index, hash);
        }
      } finally {
        this.#context.pool.release(block.buffer);
        this.#context.confirm(payload.length);
      }
    });
  }

  onHole(index: number, count: number): void {
    // Of any other file room was reserved for all bytes, and the sink takes it to be written as a whole.
    if (!this.entry.sparse) malformed(`a hole in file ${this.entry.id}, which isn't sparse`);
    this.#accepted.announceHole(index, count);
    const end = Math.min((index + count) * BLOCK_BYTES, this.entry.size);
    this.#context.progress(end - index * BLOCK_BYTES);
    this.#run(() => Promise.resolve());
  }

  onEnd(end: End): void {
    this.#accepted.end();
    this.#end = end;
    this.#run(() => Promise.resolve());
  }

  /** Ends the file's receiving for a reason of the sender's or the session's. */
  fail(error: unknown): void {
    this.#error ??= { error };
    this.#whenFailed?.();
    this.#run(() => Promise.resolve());
  }

  #settled(ledger: BlockLedger, index: number, hash: Buffer): void {
    ledger.settled(index, hash);
    this.#context.progress(blockLength(this.entry.size, index));
  }

  #damaged(ledger: BlockLedger, index: number): void {
    if (this.#target?.isComparison === true) {
      this.#hasDifference = true;
      return;
    }
    ledger.damaged(index);
    void this.#context.wire.send({ type: 'want', id: this.entry.id, index });
  }

  /** Runs a piece of work; looks at the file's state when the last one is done. */
  #run(work: () => Promise<void>): void {
    this.#running++;
    work()
      .catch((error: unknown) => {
        this.#error ??= { error };
      })
      .finally(() => {
        this.#running--;
        if (this.#running === 0 && !this.#isOver) this.#settle();
      });
  }

  #settle(): void {
    if (this.#error !== undefined) this.#giveUp(this.#error.error);
    else if (this.#end !== undefined && this.#hasDifference) this.#replace();
    else if (this.#end !== undefined && this.#ledger?.isComplete === true) this.#finish(this.#end);
  }

  /** What was there is another file: the sink says what now. */
  #replace(): void {
    this.#hasDifference = false;
    this.#end = undefined;
    this.#run(async () => {
      const compared = this.#target as SinkFile;
      this.#target = undefined;
      this.#accept(await compared.differs());
    });
  }

  #finish(end: End): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#run(async () => {
      const target = this.#target as SinkFile;
      const root = (this.#ledger as BlockLedger).root();
      const seal = sealOf(this.#context.hash, this.entry, root);
      if (!root.equals(end.root) || !seal.equals(end.seal)) {
        throw new TransferError('integrity', 'what came is not what the sender describes');
      }
      this.#target = undefined;
      await target.commit();
      this.#over({ how: target.isComparison ? 'identical' : 'written', root });
    });
  }

  #giveUp(error: unknown): void {
    const target = this.#target;
    this.#target = undefined;
    // What a changed source left, or what isn't what it should be, nobody will continue.
    const useless = error instanceof TransferError && USELESS.has(error.reason);
    const abandon = async (): Promise<void> => target?.abandon(!useless);
    this.#isOver = true;
    abandon()
      .catch(() => undefined)
      .finally(() => this.#whenOver({ error }));
  }

  #over(outcome: Finished): void {
    this.#isOver = true;
    this.#whenOver(outcome);
  }
}

const USELESS: ReadonlySet<string> = new Set(['source-changed', 'integrity', 'exists']);

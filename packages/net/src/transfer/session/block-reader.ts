import type { OpenFile } from '../files/open-file.ts';
import { BLOCK_BYTES, blockCount, blockLength } from '../protocol/limits.ts';
import { TransferError } from '../transfer-error.ts';
import type { BlockPool } from '../wire/block-pool.ts';

// Blocks that are read in one go, and how many of such groups are under way: a thread of the pool
// may have to wait for a processor longer than it reads. Arbitrary.
const GROUP_BLOCKS = 2;
const GROUPS_AHEAD = 2;

/**
 * Reads the blocks of a file in order, ahead of who takes them. Readers that share a pool can't wait
 * for each other in a circle: it serves in order, so whoever waits first waits for groups that are
 * complete, and those are taken and given back.
 */
export class BlockReader {
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #blocks: number;
  readonly #pool: BlockPool;
  readonly #readsAhead: boolean;
  #ready: Buffer[] = [];
  readonly #ahead: Promise<Buffer[]>[] = [];
  #next = 0;

  /** @param readsAhead false where blocks are left out, so that none is read in vain */
  constructor(file: OpenFile, size: number, pool: BlockPool, readsAhead: boolean) {
    this.#file = file;
    this.#size = size;
    this.#blocks = blockCount(size);
    this.#pool = pool;
    this.#readsAhead = readsAhead;
  }

  /**
   * A block in a buffer of the pool, which the caller gives back; its length is that of any block.
   *
   * @throws TransferError `source-changed` where the file is shorter; FileError
   */
  async take(index: number): Promise<Buffer> {
    if (this.#ready.length === 0) await this.#fetch(index);
    return this.#ready.shift() as Buffer;
  }

  async #fetch(index: number): Promise<void> {
    if (this.#ahead.length === 0) this.#start(index);
    const ready = this.#ahead.shift() as Promise<Buffer[]>;
    this.#ready = await ready;
    while (this.#readsAhead && this.#ahead.length < GROUPS_AHEAD && this.#next < this.#blocks) {
      this.#start(this.#next);
    }
  }

  #start(index: number): void {
    const count = Math.min(this.#readsAhead ? GROUP_BLOCKS : 1, this.#blocks - index);
    this.#next = index + count;
    const read = this.#read(index, count);
    read.catch(() => undefined);
    this.#ahead.push(read);
  }

  async #read(index: number, count: number): Promise<Buffer[]> {
    const buffers = await this.#pool.acquireAll(count);
    try {
      const pieces = buffers.map((buffer, i) =>
        buffer.subarray(0, blockLength(this.#size, index + i)),
      );
      const wanted = pieces.reduce((sum, { length }) => sum + length, 0);
      const got = await this.#file.readPieces(pieces, index * BLOCK_BYTES);
      if (got < wanted) throw new TransferError('source-changed', 'it became shorter');
      return buffers;
    } catch (error) {
      for (const buffer of buffers) this.#pool.release(buffer);
      throw error;
    }
  }

  /** Gives back what was read and not taken. */
  async close(): Promise<void> {
    const ahead = await Promise.all(this.#ahead.map((read) => read.catch(() => [])));
    for (const buffer of [...this.#ready, ...ahead.flat()]) this.#pool.release(buffer);
  }
}

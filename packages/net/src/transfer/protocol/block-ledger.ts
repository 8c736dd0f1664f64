import type { BlockHash } from './block-hash.ts';
import { malformed } from './field-reader.ts';
import { blockCount, blockLength } from './limits.ts';
import { MerkleRoot } from './merkle-root.ts';

/**
 * What a receiver knows of the blocks of one file.
 *
 * Theory of operation. The sender announces every block once, in order: by its hash where the
 * receiver keeps it, with its bytes, or as part of a hole. A block is settled once bytes with the
 * announced hash are where they belong. A damaged one is wanted and comes again, whenever the
 * sender gets to it. Settled hashes enter the tree in order, so one that waits for a damaged
 * predecessor is set aside. The file is complete when the sender has ended it and all is settled.
 */
export class BlockLedger {
  readonly size: number;
  readonly keptBlocks: number;
  readonly #tree: MerkleRoot;
  readonly #blocks: number;
  /** Settled hashes, or lengths of holes, that wait for a predecessor. */
  readonly #later = new Map<number, Buffer | number>();
  readonly #wanted = new Set<number>();
  /** Where the hole began that was announced last. */
  #lastHole = 0;
  #announced = 0;
  #ended = false;

  constructor(hash: BlockHash, size: number, keptBlocks: number) {
    this.size = size;
    this.keptBlocks = keptBlocks;
    this.#blocks = blockCount(size);
    this.#tree = new MerkleRoot(hash, size);
  }

  /** The sender gives the hash of a block that is kept. */
  announceKept(index: number): void {
    if (index >= this.keptBlocks) malformed(`digest ${index} of ${this.keptBlocks} kept blocks`);
    this.#announce(index, 1);
  }

  /** The sender sends a block of this many bytes. */
  announceBlock(index: number, length: number): void {
    if (index < this.keptBlocks) malformed(`block ${index} is kept and wasn't asked for`);
    this.#announce(index, 1);
    this.#checkLength(index, length);
  }

  /** The sender says that these blocks are zeros; they count as settled. */
  announceHole(index: number, count: number): void {
    if (index < this.keptBlocks) malformed(`hole ${index} is kept`);
    if (count === 0) malformed('a hole of no blocks');
    this.#announce(index, count);
    this.#settle(...this.#withHoleBefore(index, count));
  }

  /** One hole with the one that ends where it begins and waits: of a million only one is kept. */
  #withHoleBefore(index: number, count: number): [from: number, blocks: number] {
    const before = this.#later.get(this.#lastHole);
    if (typeof before === 'number' && this.#lastHole + before === index) {
      return [this.#lastHole, before + count];
    }
    this.#lastHole = index;
    return [index, count];
  }

  /** A block comes again. */
  announceRepair(index: number, length: number): void {
    if (!this.#wanted.delete(index)) malformed(`repair of block ${index}, which wasn't asked for`);
    this.#checkLength(index, length);
  }

  /** The block's bytes, with this hash, are where they belong. */
  settled(index: number, hash: Buffer): void {
    this.#settle(index, Buffer.from(hash));
  }

  /** The block's bytes don't have the announced hash: it has to come again. */
  damaged(index: number): void {
    this.#wanted.add(index);
  }

  end(): void {
    if (this.#ended) malformed('a second end');
    if (this.#announced < this.#blocks) {
      malformed(`end after ${this.#announced} of ${this.#blocks} blocks`);
    }
    this.#ended = true;
  }

  get isComplete(): boolean {
    return this.#ended && this.#tree.count === this.#blocks;
  }

  /** The root of the blocks that were settled; for a complete file. */
  root(): Buffer {
    return this.#tree.digest();
  }

  #announce(index: number, count: number): void {
    if (this.#ended) malformed(`block ${index} after the end`);
    if (index !== this.#announced) malformed(`block ${index} where ${this.#announced} was due`);
    if (index + count > this.#blocks) malformed(`block ${index} + ${count} of ${this.#blocks}`);
    this.#announced += count;
  }

  #checkLength(index: number, length: number): void {
    const expected = blockLength(this.size, index);
    if (length !== expected) malformed(`block ${index} has ${length} bytes, not ${expected}`);
  }

  #settle(index: number, what: Buffer | number): void {
    this.#later.set(index, what);
    for (;;) {
      const at = this.#tree.count;
      const next = this.#later.get(at);
      if (next === undefined) return;
      this.#later.delete(at);
      if (typeof next === 'number') this.#tree.pushZeros(next);
      else this.#tree.push(next);
    }
  }
}

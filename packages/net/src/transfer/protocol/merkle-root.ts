import type { BlockHash } from './block-hash.ts';
import { BLOCK_BYTES, blockCount, blockLength } from './limits.ts';

const NODE = 1;
const ROOT = 2;
const ROOT_PREFIX_BYTES = 9;

/**
 * The root hash of a file, from the hashes of its blocks in their order, in O(log n) memory.
 *
 * The tree is that of RFC 9162, section 2.1: a node's left side is the largest full tree that
 * leaves something for the right. A leaf is the hash of a block without a prefix: the root binds
 * the file's size, which fixes the shape of the tree, so that no leaf can pass for a node.
 */
export class MerkleRoot {
  readonly #hash: BlockHash;
  readonly #size: number;
  /** Full subtrees from left to right, each smaller than the one before. */
  readonly #full: { level: number; hash: Buffer }[] = [];
  #count = 0;
  /** Full subtrees of zeros by level. */
  #zeros: Buffer[] = [];

  constructor(hash: BlockHash, size: number) {
    this.#hash = hash;
    this.#size = size;
  }

  /** Blocks whose hash was pushed. */
  get count(): number {
    return this.#count;
  }

  push(hash: Buffer): void {
    this.#pushTree(0, hash);
  }

  /**
   * As many blocks of zeros. A file of petabytes that is one hole costs some hundred hashes, so that
   * nobody can keep the other side busy with one message.
   */
  pushZeros(count: number): void {
    let left = Math.min(count, blockCount(this.#size) - this.#count);
    const isShort = (index: number) => blockLength(this.#size, index) < BLOCK_BYTES;
    const endsShort = left > 0 && isShort(this.#count + left - 1);
    if (endsShort) left--;
    while (left > 0) {
      const level = this.#largestLevel(left);
      this.#pushTree(level, this.#zeroTree(level));
      left -= 2 ** level;
    }
    if (endsShort) this.push(this.#zeroBlock(blockLength(this.#size, this.#count)));
  }

  /** The root, once every block was pushed. */
  digest(): Buffer {
    const top = this.#full.reduceRight<Buffer | undefined>(
      (right, { hash }) => (right === undefined ? hash : this.#node(hash, right)),
      undefined,
    );
    const bytes = Buffer.allocUnsafe(ROOT_PREFIX_BYTES + (top?.length ?? 0));
    bytes.writeUInt8(ROOT);
    bytes.writeUInt32BE(Math.floor(this.#size / 2 ** 32), 1);
    bytes.writeUInt32BE(this.#size % 2 ** 32, 5);
    if (top !== undefined) bytes.set(top, ROOT_PREFIX_BYTES);
    return this.#hash.digest(bytes);
  }

  #pushTree(level: number, hash: Buffer): void {
    this.#count += 2 ** level;
    let tree: { level: number; hash: Buffer } = { level, hash: Buffer.from(hash) };
    for (;;) {
      const left = this.#full.at(-1);
      if (left === undefined || left.level !== tree.level) break;
      this.#full.pop();
      tree = { level: tree.level + 1, hash: this.#node(left.hash, tree.hash) };
    }
    this.#full.push(tree);
  }

  /** The largest tree that starts where we are and has at most `most` leaves. */
  #largestLevel(most: number): number {
    let level = 0;
    while (2 ** (level + 1) <= most && this.#count % 2 ** (level + 1) === 0) level++;
    return level;
  }

  #zeroTree(level: number): Buffer {
    this.#zeros[0] ??= this.#zeroBlock(BLOCK_BYTES);
    for (let i = this.#zeros.length; i <= level; i++) {
      const below = this.#zeros[i - 1] as Buffer;
      this.#zeros[i] = this.#node(below, below);
    }
    return this.#zeros[level] as Buffer;
  }

  #zeroBlock(length: number): Buffer {
    return this.#hash.digest(Buffer.alloc(length));
  }

  #node(left: Buffer, right: Buffer): Buffer {
    return this.#hash.digest(Buffer.concat([Buffer.of(NODE), left, right]));
  }
}

/**
 * Blocks of one file that the receiver wants again: a bit each, so that what it may ask for is bounded
 * by the file's size, 4 MiB of memory for the largest.
 */
export class WantedBlocks {
  readonly #bits: Uint8Array;
  #count = 0;
  /** Where the search for the next one goes on. */
  #byte = 0;

  constructor(blocks: number) {
    this.#bits = new Uint8Array(Math.ceil(blocks / 8));
  }

  /** False where the block is wanted already. */
  add(index: number): boolean {
    const byte = index >>> 3;
    const bit = 1 << (index & 7);
    const bits = this.#bits[byte] as number;
    if ((bits & bit) !== 0) return false;
    this.#bits[byte] = bits | bit;
    this.#count++;
    return true;
  }

  /** Gives one away; undefined where none is left. */
  take(): number | undefined {
    if (this.#count === 0) return undefined;
    while (this.#bits[this.#byte] === 0) this.#byte = (this.#byte + 1) % this.#bits.length;
    const bits = this.#bits[this.#byte] as number;
    const bit = 31 - Math.clz32(bits & -bits);
    this.#bits[this.#byte] = bits & (bits - 1);
    this.#count--;
    return 8 * this.#byte + bit;
  }
}

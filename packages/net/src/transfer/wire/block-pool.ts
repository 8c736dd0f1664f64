import { BLOCK_BYTES } from '../protocol/limits.ts';

/** A bounded number of blocks' memory, made when first needed: who wants more has to wait. */
export class BlockPool {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #left: number;

  constructor(blocks: number) {
    this.#left = blocks;
  }

  acquire(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#left > 0) {
      this.#left--;
      return Promise.resolve(Buffer.allocUnsafeSlow(BLOCK_BYTES));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}

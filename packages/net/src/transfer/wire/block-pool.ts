import { BLOCK_BYTES } from '../protocol/limits.ts';

// Before each block's memory, for the head of its frame.
const HEAD_ROOM = 64;
const pooled = new WeakSet<ArrayBufferLike>();

function makeBlock(): Buffer {
  const memory = Buffer.allocUnsafeSlow(HEAD_ROOM + BLOCK_BYTES);
  pooled.add(memory.buffer);
  return memory.subarray(HEAD_ROOM);
}

/**
 * A frame's head and payload as one piece where the payload begins a block's memory, which has room
 * for the head before it: a wire that encrypts would have to copy two pieces together.
 */
export function framed(head: Buffer, payload: Buffer): readonly Buffer[] {
  const { buffer, byteOffset, length } = payload;
  if (head.length > HEAD_ROOM || byteOffset !== HEAD_ROOM || !pooled.has(buffer)) {
    return [head, payload];
  }
  const frame = Buffer.from(buffer, HEAD_ROOM - head.length, head.length + length);
  frame.set(head);
  return [frame];
}

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
      return Promise.resolve(makeBlock());
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  acquireAll(count: number): Promise<Buffer[]> {
    return Promise.all(Array.from({ length: count }, () => this.acquire()));
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}

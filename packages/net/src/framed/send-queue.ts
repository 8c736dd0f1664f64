import type { Descriptor } from '../socket/descriptor.ts';
import { SendAll } from '../socket/send-all.ts';

// A turn's answers to 16 small messages fit in the first block; a peer that reads slowly costs
// larger ones, up to what the kernel takes in one call (arbitrary).
const FIRST_BLOCK_BYTES = 4 * 1024;
const LAST_BLOCK_BYTES = 64 * 1024;
// First blocks kept for later: what 1,024 connections need in one turn.
const MAX_SPARE = 1024;
const spare: Buffer[] = [];
const EMPTY = Buffer.alloc(0);

/**
 * A send that grows while it waits: frames of one turn are copied behind each other into one block
 * of memory and leave in one system call. While the kernel takes nothing, more turns join.
 */
export class SendQueue extends SendAll {
  readonly #blockBytes: number;

  /** @param before the queue in front of this one, which is full */
  constructor(descriptor: Descriptor, before?: SendQueue) {
    const bytes =
      before === undefined
        ? FIRST_BLOCK_BYTES
        : Math.min(4 * before.#blockBytes, LAST_BLOCK_BYTES);
    const block = bytes === FIRST_BLOCK_BYTES ? spare.pop() : undefined;
    super(descriptor, block ?? Buffer.allocUnsafeSlow(bytes), 0);
    this.#blockBytes = bytes;
    this.length = 0;
  }

  /** The memory: what lies behind `length` is free. */
  get block(): Buffer {
    return this.data as Buffer;
  }

  /** Counts bytes that were written behind `length`. */
  extend(bytes: number): void {
    this.length += bytes;
  }

  /** Takes as many of the bytes as there is room for; gives how many. */
  append(bytes: Uint8Array): number {
    const room = this.data.length - this.length;
    const taken = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.data.set(taken, this.length);
    this.extend(taken.length);
    return taken.length;
  }

  /** Gives the block back; the operation is over. */
  release(): void {
    if (this.#blockBytes === FIRST_BLOCK_BYTES && spare.length < MAX_SPARE) spare.push(this.block);
    this.data = EMPTY;
  }
}

import type { Descriptor } from '../socket/descriptor.ts';
import { SendAll } from '../socket/send-all.ts';

// A turn's answers to 16 small messages fit; larger blocks double from here (arbitrary).
const BLOCK_BYTES = 4 * 1024;
// Blocks kept for the next turn: what 1,024 connections need at once.
const MAX_SPARE = 1024;
const spare: Buffer[] = [];
const EMPTY = Buffer.alloc(0);

/**
 * A send that grows while it waits: frames of one turn are copied behind each other into one block
 * of memory and leave in one system call. While the kernel takes nothing, more turns join.
 */
export class SendQueue extends SendAll {
  /** Bytes appended in all. */
  total = 0;

  constructor(descriptor: Descriptor) {
    super(descriptor, spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES), 0);
    this.length = 0;
  }

  /** The memory: what lies behind `length` is free. */
  get block(): Buffer {
    return this.data as Buffer;
  }

  /** Counts bytes that were written behind `length`. */
  extend(bytes: number): void {
    this.length += bytes;
    this.total += bytes;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.data.length) this.#makeRoom(bytes.length);
    this.data.set(bytes, this.length);
    this.extend(bytes.length);
  }

  #makeRoom(bytes: number): void {
    const { left } = this;
    let size = this.data.length;
    while (size < left + bytes) size *= 2;
    const block = size === this.data.length ? (this.data as Buffer) : Buffer.allocUnsafeSlow(size);
    block.set(this.data.subarray(this.sent, this.length));
    this.data = block;
    this.length = left;
    this.sent = 0;
  }

  /** Gives the block back; the operation is over. */
  release(): void {
    if (this.data.length === BLOCK_BYTES && spare.length < MAX_SPARE) spare.push(this.data as Buffer);
    this.data = EMPTY;
  }
}

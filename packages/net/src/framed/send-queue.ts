import type { Descriptor } from '../socket/descriptor.ts';
import { SendAll } from '../socket/send-all.ts';

// A turn's answers to 16 small messages fit in the first block; a peer that reads slowly costs
// larger ones (arbitrary).
const FIRST_BLOCK_BYTES = 4 * 1024;
const LATER_BLOCK_BYTES = 16 * 1024;
// Kept for later, 2 MiB of each: what 512 connections need in one turn, and 128 blocks for those
// that are stuck. Giving memory back and taking it again costs more than keeping it.
const SPARE_BYTES = 2 * 1024 * 1024;
const spare = new Map<number, Buffer[]>([
  [FIRST_BLOCK_BYTES, []],
  [LATER_BLOCK_BYTES, []],
]);
const EMPTY = Buffer.alloc(0);

function takeBlock(bytes: number): Buffer {
  return spare.get(bytes)?.pop() ?? Buffer.allocUnsafeSlow(bytes);
}

function giveBlock(block: Buffer): void {
  const blocks = spare.get(block.length);
  if (blocks !== undefined && blocks.length * block.length < SPARE_BYTES) blocks.push(block);
}

/**
 * A send that grows while it waits: frames of one turn are copied behind each other into one block
 * of memory and leave in one system call. While the kernel takes nothing, more turns join.
 */
export class SendQueue extends SendAll {
  /** @param isFirst nothing is queued before it */
  constructor(descriptor: Descriptor, isFirst: boolean) {
    super(descriptor, takeBlock(isFirst ? FIRST_BLOCK_BYTES : LATER_BLOCK_BYTES), 0);
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
    giveBlock(this.block);
    this.data = EMPTY;
  }
}

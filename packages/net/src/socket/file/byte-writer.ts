import { EAGAIN } from '../../constants/index.ts';
import { SocketError } from '../../errors/index.ts';
import type { FileProcess } from './file-process.ts';

const wouldWait = (): SocketError =>
  new SocketError('send', EAGAIN, { reason: 'the write could not complete without waiting' });

/**
 * Writes bytes through a buffer, as Python's BufferedWriter. With a buffer size of 0 each write is
 * one send, which may be short.
 */
export class ByteWriter {
  readonly #size: number;
  #memory: Buffer | undefined;
  #start = 0;
  #end = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Takes all of `data`, or unbuffered what one send takes (null where it would wait). A failure
   * carries in `bytesWritten` how much of `data` was taken.
   */
  *write(data: Uint8Array): FileProcess<number | null> {
    if (this.#size === 0) return yield { kind: 'write', data };
    let taken = 0;
    try {
      if (this.#end - this.#start + data.length > this.#size) {
        yield* this.flush();
        while (data.length - taken > this.#size) taken += yield* this.#send(data.subarray(taken));
      }
      taken += this.#hold(data, taken);
      return taken;
    } catch (error) {
      // What doesn't wait for the kernel may still wait in the buffer.
      if (error instanceof SocketError && error.errno === EAGAIN) taken += this.#hold(data, taken);
      if (error instanceof Error) Object.assign(error, { bytesWritten: taken });
      throw error;
    }
  }

  /** Sends all that the buffer holds; what a failure left stays in it. */
  *flush(): FileProcess<void> {
    while (this.#start < this.#end) {
      const held = (this.#memory as Buffer).subarray(this.#start, this.#end);
      this.#start += yield* this.#send(held);
    }
    this.#start = this.#end = 0;
  }

  *#send(data: Uint8Array): FileProcess<number> {
    const count = yield { kind: 'write', data };
    if (count === null) throw wouldWait();
    return count;
  }

  /** Copies what fits into the buffer. */
  #hold(data: Uint8Array, from: number): number {
    this.#memory ??= Buffer.allocUnsafeSlow(this.#size);
    this.#memory.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = Math.min(data.length - from, this.#size - this.#end);
    this.#memory.set(data.subarray(from, from + count), this.#end);
    this.#end += count;
    return count;
  }
}

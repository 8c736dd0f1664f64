import { Socket as StreamHandle } from 'node:net';

// A pipe gives at most its size at once, 64 KiB unless it was enlarged (pipe(7)).
const READ_BYTES = 256 * 1024;

/**
 * What a pipe on stdin gives, in one buffer that the next piece overwrites. (`process.stdin` makes a
 * buffer for each piece and holds 64 KiB at most, which costs half as much again.)
 */
export class PipeInput implements AsyncIterableIterator<Buffer> {
  #handle: StreamHandle;
  #piece: Buffer | undefined;
  #hasEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(fd: number) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    // The type of its options doesn't know `onread`, which the one of connect does.
    const options = {
      fd,
      readable: true,
      writable: false,
      onread: { buffer, callback: (bytes: number) => this.#take(buffer.subarray(0, bytes)) },
    };
    this.#handle = new StreamHandle(options);
    this.#handle.on('end', () => this.#end());
    this.#handle.on('close', () => this.#end());
    this.#handle.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  /** @returns false: nothing more is read until it is asked for */
  #take(piece: Buffer): false {
    this.#piece = piece;
    this.#wake();
    return false;
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    while (this.#piece === undefined && !this.#hasEnded && this.#failure === undefined) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#handle.resume();
      await woken;
    }
    const piece = this.#piece;
    this.#piece = undefined;
    if (piece !== undefined) return { done: false, value: piece };
    if (this.#failure !== undefined) throw this.#failure;
    return { done: true, value: undefined };
  }

  /** Nobody asks for more: the process needn't live for it. */
  return(): Promise<IteratorResult<Buffer, undefined>> {
    this.#handle.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

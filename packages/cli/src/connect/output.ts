import { write } from 'node:fs';
import { promisify } from 'node:util';
import { CommandError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import { EXIT } from '../exit-code.ts';

const writeDescriptor = promisify(write);
const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 50;

/**
 * A descriptor that is written to without holding up the event loop: `process.stdout` blocks the
 * whole process when its pipe is full, and a socket of Node's would set O_NONBLOCK on a pipe that
 * other processes write to as well.
 */
export class Output {
  readonly fd: number;
  #writing: Promise<void> | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The write that is under way: while one waits the process can't exit, only be killed. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /**
   * Writes all of it.
   *
   * @throws CommandError; for a reader that has gone one that is silent
   */
  async write(data: Uint8Array): Promise<void> {
    this.#writing = this.#writeAll(data);
    try {
      await this.#writing;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EPIPE') throw new CommandError('', EXIT.brokenPipe, { cause: error });
      throw new CommandError(`cannot write: ${code}`, EXIT.failed, { cause: error });
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    for (let offset = 0; offset < data.length; ) {
      try {
        const { bytesWritten } = await writeDescriptor(this.fd, data, offset);
        offset += bytesWritten;
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        // Somebody else made the pipe non-blocking, and nothing tells when it has room.
        if (errorCode(error) !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }
}

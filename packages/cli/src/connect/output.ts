import { constants, fstatSync, openSync, write } from 'node:fs';
import { Socket as StreamHandle } from 'node:net';
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
 * other processes write to as well. So a pipe is opened a second time, which gives it a status of its
 * own, and others are written to by the thread pool.
 */
export class Output {
  readonly fd: number;
  #pipe: StreamHandle | undefined;
  #writing: Promise<void> | undefined;

  constructor(fd: number) {
    this.fd = fd;
    this.#pipe = fstatSync(fd).isFIFO() ? reopened(fd) : undefined;
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
    this.#writing = this.#pipe === undefined ? this.#writeAll(data) : writePipe(this.#pipe, data);
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
        // Somebody else made it non-blocking, and nothing tells when it has room.
        if (errorCode(error) !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }
}

/** The same pipe with an O_NONBLOCK of its own; undefined where /proc doesn't let us: proc(5). */
function reopened(fd: number): StreamHandle | undefined {
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    const handle = new StreamHandle({ fd: own, readable: false, writable: true });
    // Each write tells of its own failure.
    handle.on('error', () => undefined);
    return handle;
  } catch {
    return undefined;
  }
}

function writePipe(pipe: StreamHandle, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    pipe.write(data, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

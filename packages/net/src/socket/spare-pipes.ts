import { native } from '@sockeye/native';
import { SocketError } from '../errors/index.ts';

// The most that a user without privileges may ask for (/proc/sys/fs/pipe-max-size); 64 KiB otherwise.
// Other sizes were not measured here.
const PIPE_BYTES = 1024 * 1024;
// Arbitrary: as many as are likely to be in use in one turn.
const MAX_SPARE = 4;

/** A pipe that bytes pass through on their way from one descriptor to another. */
export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** Pipes that are empty. A pipe is needed while bytes are in it only, not while one waits for them. */
class SparePipes {
  #spare: Pipe[] = [];

  /** @throws SocketError EMFILE, ENFILE, ENOSYS */
  take(): Pipe {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    const ends = new Int32Array(2);
    const status = native.pipe2(ends);
    if (status < 0) throw new SocketError('pipe2', -status);
    const [readEnd, writeEnd] = ends as unknown as [number, number];
    // Above the user's share of pipe memory it keeps the size that it has: pipe(7).
    native.setPipeSize(writeEnd, PIPE_BYTES);
    return { readEnd, writeEnd };
  }

  /** Takes an empty pipe back. */
  give(pipe: Pipe): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(pipe);
    else discard(pipe);
  }
}

/** Closes a pipe with what is in it. */
export function discard({ readEnd, writeEnd }: Pipe): void {
  native.close(readEnd);
  native.close(writeEnd);
}

/** Those of this thread. */
export const sparePipes = new SparePipes();

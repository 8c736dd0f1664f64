import { fchmod, fstat, fsync, ftruncate, readv, type StatsBase, writev } from 'node:fs';
import { promisify } from 'node:util';
import { native } from '@sockeye/native';
import { FILE } from './file-constants.ts';
import { checked, FileError } from './file-error.ts';

const statAsync = promisify(fstat) as unknown as (
  fd: number,
  options: { bigint: true },
) => Promise<BigStats>;
const syncAsync = promisify(fsync);
const truncateAsync = promisify(ftruncate);
const chmodAsync = promisify(fchmod);

/** What fstat(2) tells, with nanoseconds. */
export interface BigStats extends StatsBase<bigint> {
  readonly mtimeNs: bigint;
  /** The last change of anything about it, which only the kernel sets. */
  readonly ctimeNs: bigint;
}

/** An errno that node:fs reports, as this library's error. */
function asFileError(error: NodeJS.ErrnoException, path: string): Error {
  const { errno, syscall } = error;
  return errno === undefined ? error : new FileError(syscall ?? 'file', -errno, path);
}

/**
 * An open file or directory, everything by its descriptor. Calls run on the thread pool. node:fs
 * does those that need a buffer: it keeps the buffer alive until the pool is done with it.
 */
export class OpenFile {
  readonly path: string;
  #fd: number;
  #running = 0;
  #closing: (() => void) | undefined;

  /** Takes over the descriptor. `path` is for errors. */
  constructor(fd: number, path: string) {
    this.#fd = native.own(fd);
    this.path = path;
  }

  /** For a call that is made at once; one that takes its time goes through `use`. */
  get fd(): number {
    return this.#fd;
  }

  stat(): Promise<BigStats> {
    return this.#run(() => statAsync(this.#fd, { bigint: true }));
  }

  /** Reads up to the buffer's length; fewer bytes only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.readPieces([buffer], position);
  }

  /** Fills pieces with what lies one behind the other; fewer bytes only at the end of the file. */
  async readPieces(pieces: readonly Uint8Array[], position: number): Promise<number> {
    let left = pieces;
    let at = position;
    while (left.length > 0) {
      const count = await this.#run(() => this.#readOnce(left, at));
      if (count === 0) break;
      at += count;
      left = behind(left, count);
    }
    return at - position;
  }

  #readOnce(pieces: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      readv(this.#fd, pieces, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    });
  }

  /** Writes pieces one behind the other. */
  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let left = pieces;
    for (let at = position; left.length > 0; ) {
      const count = await this.#run(() => this.#writeOnce(left, at));
      at += count;
      left = behind(left, count);
    }
  }

  #writeOnce(pieces: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(this.#fd, pieces, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    });
  }

  truncate(size: number): Promise<void> {
    return this.#run(() => truncateAsync(this.#fd, size));
  }

  sync(): Promise<void> {
    return this.#run(() => syncAsync(this.#fd));
  }

  chmod(mode: number): Promise<void> {
    return this.#run(() => chmodAsync(this.#fd, mode));
  }

  /** Sets the time of the last change; the time of the last access stays. */
  async setModified(seconds: number, nanoseconds: number): Promise<void> {
    const result = await this.#run(() => native.futimens(this.#fd, seconds, nanoseconds));
    checked('futimens', this.path, result);
  }

  /** Sets size (unless it is -1), mode and time of the last change, then syncs: all in one go. */
  async finish(size: number, mode: number, seconds: number, nanoseconds: number): Promise<void> {
    const result = await this.#run(() =>
      native.finishFile(this.#fd, size, mode, seconds, nanoseconds),
    );
    checked('fsync', this.path, result);
  }

  /** Locks the file against others that lock; false where another has the lock. */
  async lock(): Promise<boolean> {
    const result = await this.#run(() => native.flock(this.#fd, FILE.LOCK_EX));
    return result === 0;
  }

  /** The next byte at or after `offset` that is data, or a hole's; undefined where there is none. */
  async seek(whence: 'data' | 'hole', offset: number): Promise<number | undefined> {
    const how = whence === 'data' ? FILE.SEEK_DATA : FILE.SEEK_HOLE;
    const result = await this.#run(() => native.seekFile(this.#fd, offset, how));
    return result < 0 ? undefined : result;
  }

  /** Closes once what runs on it is done. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#closing = resolve));
    await native.closeFile(fd);
  }

  /** Lets another call use the descriptor, which isn't closed before it is done. */
  use<Result>(call: (fd: number) => Promise<Result>): Promise<Result> {
    return this.#run(() => call(this.#fd));
  }

  /** Runs a call that uses the descriptor, which can't be closed meanwhile. */
  async #run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#fd < 0) throw new FileError('file', 9, this.path);
    this.#running++;
    try {
      return await call();
    } catch (error) {
      throw asFileError(error as NodeJS.ErrnoException, this.path);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#closing?.();
    }
  }
}

/** What follows the first `count` bytes of pieces. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  const whole = pieces.findIndex(({ length }) => {
    if (length > skip) return true;
    skip -= length;
    return false;
  });
  if (whole < 0) return [];
  const [first, ...rest] = pieces.slice(whole) as [Uint8Array, ...Uint8Array[]];
  return [first.subarray(skip), ...rest];
}

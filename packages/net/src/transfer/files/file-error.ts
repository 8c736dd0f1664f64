import { errnoMessage, errnoName } from '../../constants/index.ts';

/** A call on a file failed. `path` is as the peer or the caller named it. Source: errno(3). */
export class FileError extends Error {
  /** The errno's name, such as 'ENOSPC'. */
  readonly code: string;
  /** The errno, positive. */
  readonly errno: number;
  readonly syscall: string;
  readonly path: string;

  constructor(syscall: string, errno: number, path: string) {
    const code = errnoName.get(errno) ?? `E${errno}`;
    const text = errnoMessage.get(errno) ?? 'unknown error';
    // A name may be a peer's: quoted, so that nothing in it reaches a terminal as it is.
    super(`${syscall} ${code} ${JSON.stringify(path)}: ${text} (errno ${errno})`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
  }

  override get name(): string {
    return 'FileError';
  }
}

/** The result of a native call, or its error. */
export function checked(syscall: string, path: string, result: number): number {
  if (result < 0) throw new FileError(syscall, -result, path);
  return result;
}

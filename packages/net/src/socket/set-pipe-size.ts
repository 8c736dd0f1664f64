import { native } from '@sockeye/native';
import { checkInteger, SocketError } from '../errors/index.ts';

const MAX_INT = 0x7fffffff;

/**
 * Sets how many bytes a pipe holds before its writer has to wait.
 *
 * @param fd either end
 * @param bytes the kernel rounds it up to a power of two of pages
 * @returns the size that it has now
 * @throws SocketError EPERM above the user's share of pipe memory, EBUSY when more is in it, EBADF for
 *   a descriptor that is no pipe
 * Source: fcntl(2), F_SETPIPE_SZ; pipe(7).
 */
export function setPipeSize(fd: number, bytes: number): number {
  const size = native.setPipeSize(
    checkInteger('fd', fd, 0, MAX_INT),
    checkInteger('bytes', bytes, 1, MAX_INT),
  );
  if (size < 0) throw new SocketError('fcntl', -size);
  return size;
}

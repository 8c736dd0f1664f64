import { native } from '@sockeye/native';
import { AF_UNIX, SOCK_STREAM } from '../constants/index.ts';
import { checkInteger, SocketError } from '../errors/index.ts';
import { Socket } from './socket.ts';

const MAX_INT = 0x7fffffff;
const MIN_INT = -0x80000000;
const pair = new Int32Array(2);

/**
 * Two sockets that are connected to each other.
 *
 * @throws SocketError EOPNOTSUPP for a family that has no pairs, EMFILE
 * Source: socketpair(2).
 *
 * @example
 * const [left, right] = socketpair();
 * left.sendSync(Buffer.from('ping'));
 * assert.equal(right.recvSync(10).toString(), 'ping');
 */
export function socketpair<Family extends number = typeof AF_UNIX>(
  family: Family = AF_UNIX as Family,
  type: number = SOCK_STREAM,
  proto: number = 0,
): [Socket<Family>, Socket<Family>] {
  const status = native.socketpair(
    checkInteger('family', family, 0, MAX_INT),
    checkInteger('type', type, 0, MAX_INT),
    checkInteger('proto', proto, 0, MAX_INT),
    pair,
  );
  if (status < 0) throw new SocketError('socketpair', -status);
  const [left, right] = pair as unknown as [number, number];
  return [
    new Socket(family, type, proto, { fd: left }),
    new Socket(family, type, proto, { fd: right }),
  ];
}

/**
 * Makes a socket around a duplicate of a descriptor; the original stays the caller's.
 *
 * @throws SocketError EBADF, ENOTSOCK, EMFILE
 * Source: dup(2).
 */
export function fromFd<Family extends number>(
  fd: number,
  family?: Family,
  type?: number,
  proto?: number,
): Socket<Family> {
  const copy = native.dup(checkInteger('fd', fd, 0, MAX_INT));
  if (copy < 0) throw new SocketError('dup', -copy);
  try {
    return new Socket(family, type, proto, { fd: copy });
  } catch (error) {
    native.close(copy);
    throw error;
  }
}

/**
 * Duplicates a descriptor; the copy is close-on-exec.
 *
 * @throws SocketError EBADF, EMFILE
 * Source: fcntl(2), F_DUPFD_CLOEXEC.
 */
export function dup(fd: number): number {
  const copy = native.dup(checkInteger('fd', fd, 0, MAX_INT));
  if (copy < 0) throw new SocketError('dup', -copy);
  return native.disown(copy);
}

/**
 * Closes a descriptor that no Socket owns.
 *
 * @param fd any int: what is no open descriptor, -1 included, gives EBADF
 * @throws SocketError EBADF
 * Source: close(2).
 */
export function close(fd: number): void {
  const status = native.close(checkInteger('fd', fd, MIN_INT, MAX_INT));
  if (status < 0) throw new SocketError('close', -status);
}

/** A Socket, by the name and arguments that Python has for it. */
export function socket<Family extends number = 2>(
  family?: Family,
  type?: number,
  proto?: number,
  options?: { fd?: number | undefined },
): Socket<Family> {
  return new Socket(family, type, proto, options);
}

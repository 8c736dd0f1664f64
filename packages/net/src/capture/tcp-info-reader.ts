import { readTcpInfo } from '../socket/options/read-tcp-info.ts';
import { descriptorOf } from '../socket/socket.ts';
import type { Socket, TcpInfo } from '../socket/index.ts';
import { aroundClose } from './around-close.ts';

/** Asks the kernel for TCP_INFO now; undefined where there is none. */
export type TcpInfoReader = () => TcpInfo | undefined;

/**
 * Reads a socket's TCP_INFO for as long as it is open, and from then on gives what it was just before
 * the descriptor was closed. Of a socket that isn't TCP there is none.
 *
 * @example
 * ```ts
 * const [left, right] = socketpair();
 * assert.equal(tcpInfoReader(left)(), undefined);
 * left.close();
 * right.close();
 * ```
 */
export function tcpInfoReader(socket: Socket<number>): TcpInfoReader {
  const descriptor = descriptorOf(socket);
  let last: TcpInfo | undefined;
  aroundClose(descriptor, {
    before() {
      last = readTcpInfo(descriptor.fd);
    },
  });
  return () => (descriptor.closed ? last : readTcpInfo(descriptor.fd));
}

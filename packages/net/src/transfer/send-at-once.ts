import { AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY } from '../constants/index.ts';
import type { Socket } from '../socket/index.ts';

/**
 * Small messages leave at once. Otherwise an answer that follows another small one waits for the peer's
 * delayed ACK, 40 ms, which the last acknowledgement of a transfer always did.
 */
export function sendAtOnce(socket: Socket<number>): void {
  if (socket.family !== AF_INET && socket.family !== AF_INET6) return;
  socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
}

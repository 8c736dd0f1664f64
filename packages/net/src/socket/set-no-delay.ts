import { AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY } from '../constants/index.ts';
import type { Socket } from './socket.ts';

/** Small writes of a TCP socket leave at once; accepted sockets inherit it from their listener. */
export function setNoDelay(socket: Socket<number>): void {
  if (socket.family !== AF_INET && socket.family !== AF_INET6) return;
  socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
}

import { SHUT_WR } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { descriptorOf } from '../socket/socket.ts';

/** Sends what a handler left to be sent, then the end of the stream. The socket stays open. */
export async function endStream(socket: Socket<number>): Promise<void> {
  if (socket.closed) return;
  try {
    // Behind a sendall that the handler didn't wait for.
    if (descriptorOf(socket).isSending) await socket.sendall(new Uint8Array(0));
    socket.shutdown(SHUT_WR);
  } catch (error) {
    // The peer is gone: ENOTCONN, EPIPE, ECONNRESET.
    if (!(error instanceof SocketError)) throw error;
  }
}

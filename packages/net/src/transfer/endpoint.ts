import { SO_ACCEPTCONN, SOCK_STREAM, SOL_SOCKET } from '../constants/index.ts';
import { invalidValue } from '../errors/index.ts';
import { type ConnectionAddress, createConnection, createServer, Socket } from '../socket/index.ts';

/** Where the other side is, or where to wait for it. */
export type TransferAddress = ConnectionAddress;

/** An address, a connected socket, or one that listens. A socket belongs to the transfer then. */
export type TransferEndpoint = TransferAddress | Socket<number>;

/** Whether the transfer makes the connection or waits for it; a socket says so itself. */
export type Dialling = 'connect' | 'listen';

/** A listening socket for an endpoint; undefined where a connection is to be made or there. */
export function listenerFor(
  endpoint: TransferEndpoint,
  dialling: Dialling,
): Socket<number> | undefined {
  if (endpoint instanceof Socket) return isListening(endpoint) ? endpoint : undefined;
  return dialling === 'listen' ? createServer(endpoint) : undefined;
}

function isListening(socket: Socket<number>): boolean {
  return socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN) === 1;
}

/** The connection to an endpoint that doesn't listen. */
export async function connectionTo(
  endpoint: TransferEndpoint,
  signal: AbortSignal | undefined,
): Promise<Socket<number>> {
  if (endpoint instanceof Socket) {
    if (endpoint.type !== SOCK_STREAM) {
      throw invalidValue('endpoint', 'a stream socket', endpoint.type);
    }
    return endpoint;
  }
  return createConnection(endpoint, { timeout: null, signal });
}

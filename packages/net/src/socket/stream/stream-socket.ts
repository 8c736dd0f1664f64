import { ENOTCONN } from '../../constants/index.ts';
import { SocketError } from '../../errors/index.ts';

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/** What a stream needs of its socket. */
export interface StreamSocket {
  readonly closed: boolean;
  recv(size: number, flags?: number, options?: Waiting): Promise<Buffer>;
  recvInto(buffer: Uint8Array, size?: number, flags?: number, options?: Waiting): Promise<number>;
  sendall(data: Uint8Array, flags?: number, options?: Waiting): Promise<void>;
  shutdown(how: number): void;
  close(): void;
}

/** What one receive takes at most, and what a stream holds before it exerts backpressure. */
export const STREAM_BYTES = 64 * 1024;

/** Ends a direction; where the connection is gone already, it has ended. */
export function shutDown(socket: StreamSocket, how: number): void {
  try {
    socket.shutdown(how);
  } catch (error) {
    if (!(error instanceof SocketError && error.errno === ENOTCONN)) throw error;
  }
}

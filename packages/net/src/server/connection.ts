import type { Address } from '../address/index.ts';
import type { Socket } from '../socket/index.ts';

/** A connection as a handler sees it. It is closed when the handler returns or throws. */
export interface Connection extends AsyncIterable<Buffer> {
  /**
   * The next bytes, up to `size`; empty at the end of the stream.
   *
   * @returns a Buffer of its own
   * @throws SocketError; ConnectionTimeoutError when a deadline of the server ended it
   */
  recv(size?: number): Promise<Buffer>;
  /** The next bytes into a buffer: how many; 0 at the end of the stream. */
  recvInto(buffer: Uint8Array, size?: number): Promise<number>;
  /**
   * Sends everything; settles when the kernel (or TLS) has taken it. Sends of one turn leave
   * together.
   */
  sendall(data: Uint8Array): Promise<void>;
  /** Ends the sending side; the peer's bytes can still be read. */
  shutdown(): Promise<void>;
  /** The peer; with the PROXY protocol whom it speaks for; null where it has no name. */
  readonly remote: Address | null;
  readonly local: Address | null;
  /** Bytes received so far; with TLS, of what was decrypted. */
  readonly received: number;
  /** Bytes sent so far, as the peer will see them: with TLS, before they are encrypted. */
  readonly sent: number;
  /** The socket below. Reading or writing it directly breaks TLS. */
  readonly socket: Socket<number>;
  /** The server's option of that name: what `framed` on this connection may hold for its peer. */
  readonly highWaterMark: number;
  /** Aborted when the connection ends, with the reason. */
  readonly signal: AbortSignal;
  /** Ends the connection at once. */
  close(): void;
  /** The protocol that TLS agreed on (ALPN); null without. */
  readonly alpnProtocol: string | null;
  /** The name the client asked for (SNI); null without. */
  readonly servername: string | null;
}

/** Which deadline ended a connection. */
export type DeadlineKind = 'proxy header' | 'first byte' | 'idle' | 'write';

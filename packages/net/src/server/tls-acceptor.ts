import type { Duplex } from 'node:stream';
import { createServer, type Server as TlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { PlainConnection } from './plain-connection.ts';
import { TlsConnection } from './tls-connection.ts';

/** How long a peer may take to agree on keys (safety.md 11). */
const HANDSHAKE_MS = 10_000;

interface Waiting {
  resolve(socket: TLSSocket): void;
  reject(error: Error): void;
}

/**
 * Encrypts accepted connections. node:tls does everything: SNI, ALPN, client certificates. Its
 * server never listens; streams over our sockets are given to it as its documentation allows.
 */
export class TlsAcceptor {
  #server: TlsServer;
  #waiting = new WeakMap<Duplex, Waiting>();

  constructor(options: TlsOptions) {
    this.#server = createServer({ handshakeTimeout: HANDSHAKE_MS, ...options });
    this.#server.on('secureConnection', (socket) => this.#waiter(socket)?.resolve(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#waiter(socket)?.reject(error);
      socket.destroy();
    });
  }

  #waiter(socket: TLSSocket): Waiting | undefined {
    const stream = below(socket);
    return stream === undefined ? undefined : this.#waiting.get(stream);
  }

  /** Certificates and keys for connections from now on. */
  setSecureContext(options: TlsOptions): void {
    this.#server.setSecureContext(options);
  }

  /** The encrypted connection over a plain one, its handshake done. */
  async secure(plain: PlainConnection): Promise<TlsConnection> {
    const stream = plain.socket.stream({ highWaterMark: plain.highWaterMark });
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      this.#waiting.set(stream, { resolve, reject });
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('TLS handshake: the peer left')));
      this.#server.emit('connection', stream);
    });
    return new TlsConnection(plain, socket);
  }
}

interface WrappedHandle {
  readonly _handle?: { readonly _parentWrap?: { readonly stream?: Duplex } } | null;
}

/**
 * The stream that a TLSSocket stands on. node:tls tells nowhere which of the streams given to its
 * server an event is about; this is where Node 20 keeps it, and tls.test.ts would show it gone.
 * Undefined once the socket is destroyed.
 */
function below(socket: TLSSocket): Duplex | undefined {
  // oxlint-disable-next-line eslint/no-underscore-dangle -- Node's names
  return (socket as unknown as WrappedHandle)._handle?._parentWrap?.stream;
}

import { AsyncLocalStorage } from 'node:async_hooks';
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
 *
 * Its events name the TLSSocket and not the stream that it was given; node:tls tells nowhere which
 * belongs to which. So each stream is given in an asynchronous context of its own, which the
 * callbacks of all that node:tls makes for it inherit. In Node 20 that slows a plain echo in the
 * same process by 5 % (promises are followed from the first handshake on), TLS by nothing that shows.
 * (A TLSSocket without tls.Server would tell, but checks no client certificate.)
 */
export class TlsAcceptor {
  #server: TlsServer;
  #waiting = new AsyncLocalStorage<Waiting>();

  constructor(options: TlsOptions) {
    this.#server = createServer({ handshakeTimeout: HANDSHAKE_MS, ...options });
    this.#server.on('secureConnection', (socket) => {
      const waiting = this.#waiting.getStore();
      // Out of its context nobody could say whose it is: it ends, and its connection with it.
      if (waiting === undefined) socket.destroy();
      else waiting.resolve(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.#waiting.getStore()?.reject(error);
      socket.destroy();
    });
  }

  /** Certificates and keys for connections from now on. */
  setSecureContext(options: TlsOptions): void {
    this.#server.setSecureContext(options);
  }

  /** The encrypted connection over a plain one, its handshake done. */
  async secure(plain: PlainConnection): Promise<TlsConnection> {
    const stream = plain.socket.stream({ highWaterMark: plain.highWaterMark });
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('TLS handshake: the peer left')));
      this.#waiting.run({ resolve, reject }, () => this.#server.emit('connection', stream));
    });
    return new TlsConnection(plain, socket);
  }
}

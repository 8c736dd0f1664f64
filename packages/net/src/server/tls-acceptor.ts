import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type Server as TlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import {
  type StreamSocket,
  TlsStream,
  type TlsStreamOptions,
  TlsTransport,
} from '../socket/stream/index.ts';

/** How long a peer may take to agree on keys (safety.md 11). */
const HANDSHAKE_MS = 10_000;

/** How an accepted socket is encrypted. */
export interface SecureOptions extends TlsStreamOptions {
  /** Gets what ends the handshake early when it is destroyed. */
  readonly onTransport?: (transport: TlsTransport) => void;
}

interface Waiting {
  readonly transport: TlsTransport;
  resolve(socket: TLSSocket): void;
  reject(error: Error): void;
}

/**
 * Encrypts accepted connections. node:tls does everything: SNI, ALPN, client certificates. Its
 * server never listens; streams over our sockets are given to it as its documentation allows.
 *
 * Its events name the TLSSocket and not the stream that it was given; node:tls tells nowhere which
 * belongs to which. So each stream is given in an asynchronous context of its own, which the
 * callbacks of all that node:tls makes for it inherit. In Node 20 each promise of the process is
 * followed meanwhile, which slows a plain echo by 5 %; so the contexts end with the last handshake.
 * (A TLSSocket without tls.Server would tell, but checks no client certificate.)
 */
export class TlsAcceptor {
  #server: TlsServer;
  #waiting = new AsyncLocalStorage<Waiting>();
  /** Handshakes under way. */
  #pending = 0;

  constructor(options: TlsOptions) {
    this.#server = createServer({ handshakeTimeout: HANDSHAKE_MS, ...options });
    this.#server.on('secureConnection', (socket) => {
      const waiting = this.#waiting.getStore();
      // Out of its context nobody could say whose it is: it ends, and its connection with it.
      if (waiting === undefined) socket.destroy();
      else waiting.resolve(socket);
    });
    this.#server.on('keylog', (line, socket) => {
      this.#waiting.getStore()?.transport.learn(line, socket, 'server');
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

  /**
   * The encrypted conversation on an accepted socket, once both agree on keys.
   *
   * @throws the error of node:tls, or of the connection; Error when the peer leaves meanwhile
   */
  async secure(socket: StreamSocket, options: SecureOptions = {}): Promise<TlsStream> {
    const transport = new TlsTransport(socket);
    options.onTransport?.(transport);
    this.#pending++;
    try {
      return await this.#shakeHands(transport, options);
    } finally {
      if (--this.#pending === 0) this.#waiting.disable();
    }
  }

  #shakeHands(transport: TlsTransport, options: SecureOptions): Promise<TlsStream> {
    return new Promise<TlsStream>((resolve, reject) => {
      transport.once('error', reject);
      transport.once('close', () => reject(new Error('TLS handshake: the peer left')));
      // Within the event, so that the end which may follow it finds a listener.
      const secured = (tls: TLSSocket): void => resolve(new TlsStream(tls, transport, options));
      this.#waiting.run({ transport, resolve: secured, reject }, () =>
        this.#server.emit('connection', transport),
      );
    });
  }
}

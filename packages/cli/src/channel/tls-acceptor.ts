import type { Socket as StreamHandle } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Socket } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { CommandError, usageError } from '../command-error.ts';
import { handOverToTls, TlsChannel } from './tls-channel.ts';
import type { TlsSettings } from './tls-flags.ts';

// How long a client may take to agree on keys (docs: safety, "Bounds").
const HANDSHAKE_MS = 10_000;

interface Waiting {
  readonly resolve: (socket: TLSSocket) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Encrypts accepted connections. The server of node:tls never listens: connections are given to it,
 * as its documentation allows.
 */
export class TlsAcceptor {
  #server: Server;
  #waiting = new WeakMap<object, Waiting>();

  /** @throws CommandError without a certificate, or with one that is none */
  constructor({ insecure, ...settings }: TlsSettings) {
    if (settings.cert === undefined) {
      throw usageError(
        'a tls:// server needs --cert and --key; to try it: openssl req -x509 -newkey rsa:2048 ' +
          '-nodes -keyout key.pem -out cert.pem -subj /CN=localhost',
      );
    }
    // Who names a --ca wants clients that it vouches for.
    const requestCert = settings.ca !== undefined;
    try {
      this.#server = createServer({
        ...settings,
        requestCert,
        rejectUnauthorized: requestCert && !insecure,
        handshakeTimeout: HANDSHAKE_MS,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(`cannot use --cert and --key: ${reason}`, 1, { cause: error });
    }
    this.#server.on('secureConnection', (tls) => this.#waiting.get(below(tls))?.resolve(tls));
    this.#server.on('tlsClientError', (error, tls) => {
      this.#waiting.get(below(tls))?.reject(error);
      tls.destroy();
    });
  }

  /**
   * The encrypted conversation on an accepted socket, once both agree on keys.
   *
   * @param onHandle gets what ends the handshake early
   */
  async secure(
    endpoint: Endpoint,
    socket: Socket<number>,
    onHandle: (close: () => void) => void = () => undefined,
  ): Promise<TlsChannel> {
    const handle: StreamHandle = handOverToTls(socket);
    onHandle(() => handle.destroy());
    const tls = await new Promise<TLSSocket>((resolve, reject) => {
      this.#waiting.set(handle, { resolve, reject });
      handle.once('error', reject);
      handle.once('close', () => reject(new Error('the peer left during the TLS handshake')));
      this.#server.emit('connection', handle);
    });
    return new TlsChannel(endpoint, tls, handle);
  }
}

/** The socket that a TLSSocket was made of, which node:tls keeps in `_parent`. */
function below(tls: TLSSocket): object {
  return Reflect.get(tls, '_parent') as object;
}

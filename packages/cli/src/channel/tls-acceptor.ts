import type { Socket } from '@sockeye/net';
import { TlsAcceptor as Acceptor } from '@sockeye/net/server';
import type { Endpoint } from '../address/address.ts';
import { serverTls } from './server-tls.ts';
import { TlsChannel } from './tls-channel.ts';
import type { TlsSettings } from './tls-flags.ts';

/** Encrypts accepted connections. */
export class TlsAcceptor {
  #acceptor: Acceptor;
  #isLenient: boolean;

  /** @throws CommandError without a certificate, or with one that is none */
  constructor(settings: TlsSettings) {
    this.#acceptor = new Acceptor(serverTls(settings));
    this.#isLenient = settings.ignoreUnexpectedEof ?? false;
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
    const stream = await this.#acceptor.secure(socket, {
      onTransport: (transport) => onHandle(() => transport.destroy()),
    });
    return new TlsChannel(endpoint, { stream, socket }, this.#isLenient);
  }
}

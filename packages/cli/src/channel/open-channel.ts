import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';
import { GroupChannel, isGroup } from './group-channel.ts';
import { CONNECT_TIMEOUT_MS, openSocket, type OpenSocketOptions } from './open-socket.ts';
import { SocketChannel } from './socket-channel.ts';
import { TlsChannel } from './tls-channel.ts';
import { tlsClient } from './tls-client.ts';
import type { TlsSettings } from './tls-flags.ts';

export interface OpenOptions extends OpenSocketOptions {
  readonly tls?: TlsSettings | undefined;
  /** Sent before everything else, TLS included. */
  readonly prologue?: Uint8Array | undefined;
}

/**
 * Connects to an endpoint; of a host with several addresses, to the first that answers.
 *
 * @throws CommandError with the one line that says why not
 */
export async function openChannel(endpoint: Endpoint, options: OpenOptions = {}): Promise<Channel> {
  const { prologue, timeoutMs = CONNECT_TIMEOUT_MS, tls = { insecure: false } } = options;
  if (isGroup(endpoint, options.settings)) {
    const open = { ...options, connects: false };
    return await openSocket(
      endpoint,
      open,
      (socket, { address }) => new GroupChannel(endpoint, socket, address),
    );
  }
  return await openSocket(endpoint, options, async (socket) => {
    if (prologue !== undefined) await socket.sendall(prologue);
    if (endpoint.transport !== 'tls') return new SocketChannel(endpoint, socket);
    const stream = await tlsClient(endpoint, socket, tls, timeoutMs);
    return new TlsChannel(endpoint, { stream, socket }, tls.ignoreUnexpectedEof ?? false);
  });
}

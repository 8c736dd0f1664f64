import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { type Socket, TimeoutError, TlsStream, TlsTransport } from '@sockeye/net';
import type { HostEndpoint } from '../address/address.ts';
import type { TlsSettings } from './tls-flags.ts';

/**
 * Encrypts a connected socket, as its client.
 *
 * @throws the error of node:tls, with its code, when the two don't agree or nothing vouches for the
 *   certificate; TimeoutError
 */
export async function tlsClient(
  endpoint: HostEndpoint,
  socket: Socket<number>,
  settings: TlsSettings,
  timeoutMs: number,
): Promise<TlsStream> {
  const { insecure, ignoreUnexpectedEof: _, servername, ...rest } = settings;
  const name = servername ?? (isIP(endpoint.host) === 0 ? endpoint.host || 'localhost' : undefined);
  const transport = new TlsTransport(socket);
  const tls = connect({
    ...rest,
    socket: transport,
    host: endpoint.host || 'localhost',
    rejectUnauthorized: !insecure,
    ...(name === undefined ? {} : { servername: name }),
  });
  const stream = new TlsStream(tls, transport);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      tls.once('secureConnect', resolve);
      tls.once('error', reject);
      tls.once('close', () => reject(new Error('the peer closed during the TLS handshake')));
      if (!Number.isFinite(timeoutMs)) return;
      const late = (): void => reject(new TimeoutError('connect', timeoutMs / 1000));
      timer = setTimeout(late, timeoutMs);
    });
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

import { AF_INET, AF_INET6, Socket } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { parseAddress } from '../address/parse-address.ts';
import { resolveEndpoint } from '../address/resolve-endpoint.ts';
import { openSocket, type OpenSocketOptions } from '../channel/open-socket.ts';
import { applyOptions } from '../channel/socket-settings.ts';
import { usageError } from '../command-error.ts';
import { explainError } from '../explain-error.ts';

// A kind of socket alone is enough for a fresh one; the address is never used.
const KINDS: ReadonlyMap<string, string> = new Map([
  ['tcp', 'tcp://0.0.0.0:0'],
  ['tcp6', 'tcp://[::]:0'],
  ['udp', 'udp://0.0.0.0:0'],
  ['udp6', 'udp://[::]:0'],
  ['unix', 'unix:@any'],
  ['unix-dgram', 'unix-dgram:@any'],
  ['unix-seqpacket', 'unix-seqpacket:@any'],
  ['vsock', 'vsock://:0'],
]);

/**
 * A socket whose options are to be shown: fresh, or connected.
 *
 * @param text an address, or a kind of socket: `tcp`, `udp6`, `unix`
 * @throws AddressSyntaxError, CommandError with the one line that says why not
 */
export async function openOptionSocket(
  text: string,
  connect: boolean,
  options: OpenSocketOptions,
): Promise<Socket<number>> {
  const endpoint = optionEndpoint(text, connect);
  if (connect) {
    // Nagle's algorithm stays as it is: it is among the options.
    return await openSocket(endpoint, { ...options, noDelay: false }, (socket) => socket);
  }
  const socket = await freshSocket(endpoint);
  try {
    applyOptions(socket, options.settings);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** The endpoint that an address or a kind of socket stands for. */
export function optionEndpoint(text: string, connect: boolean): Endpoint {
  const kind = KINDS.get(text);
  if (kind === undefined && /^[a-z0-9-]+$/i.test(text)) {
    const kinds = [...KINDS.keys()].join(', ');
    throw usageError(`${text} is no kind of socket; expected an address or one of ${kinds}`);
  }
  if (kind === undefined || !connect) return parseAddress(kind ?? text);
  throw usageError(
    `cannot connect to ${text}: --connect needs an address, such as tcp://host:port`,
  );
}

async function freshSocket(endpoint: Endpoint): Promise<Socket<number>> {
  const [target] = await resolveEndpoint(endpoint, 'server');
  const family = target?.family ?? AF_INET;
  try {
    return new Socket<number>(family, target?.type);
  } catch (error) {
    // Every interface is IPv6's way of saying it, and the kernel may have none.
    if (family === AF_INET6 && 'host' in endpoint && endpoint.host === '') {
      return new Socket<number>(AF_INET, target?.type);
    }
    throw explainError('make a socket for', endpoint, error);
  }
}

import { AF_UNIX, IPPROTO_TCP, SOCK_DGRAM, SOCK_STREAM, Socket, TCP_NODELAY } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { resolveEndpoint, type Target } from '../address/resolve-endpoint.ts';
import { explainError } from '../explain-error.ts';

export interface ConnectEndpointOptions {
  /** For each address of the endpoint. */
  readonly timeoutMs: number;
  /** Whether small writes leave at once (TCP_NODELAY). */
  readonly noDelay: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects a socket to an endpoint; of a host with several addresses, to the first that answers.
 *
 * @throws CommandError with the one line that says why not; the signal's reason
 */
export async function connectEndpoint(
  endpoint: Endpoint,
  options: ConnectEndpointOptions,
): Promise<Socket<number>> {
  let last: unknown;
  for (const target of await resolveEndpoint(endpoint, 'client')) {
    try {
      return await connectTarget(target, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      last = error;
    }
  }
  throw explainError('connect to', endpoint, last);
}

async function connectTarget(
  { family, type, address }: Target,
  { timeoutMs, noDelay, signal }: ConnectEndpointOptions,
): Promise<Socket<number>> {
  const socket = new Socket<number>(family, type);
  try {
    socket.settimeout(timeoutMs / 1000);
    // Without a name of its own a Unix datagram socket gets no answers: unix(7), "Autobind".
    if (family === AF_UNIX && type === SOCK_DGRAM) socket.bind({ path: '' });
    await socket.connect(address, { signal });
    if (noDelay && 'host' in address && type === SOCK_STREAM) {
      socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    }
    socket.settimeout(null);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

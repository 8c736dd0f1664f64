import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SOCK_DGRAM,
  Socket,
  SocketError,
  SOL_SOCKET,
} from '@sockeye/net';
import { ownSocketFile } from '@sockeye/net/server';
import type { Endpoint } from '../address/address.ts';
import { resolveEndpoint, type Target } from '../address/resolve-endpoint.ts';
import { applyOptions, type OptionSetting } from '../channel/socket-settings.ts';
import { CommandError } from '../command-error.ts';
import { explainError } from '../explain-error.ts';
import { removeStaleSocketFile } from './remove-stale-socket-file.ts';

/** A socket that has its address, and listens if it can. */
export interface BoundSocket {
  readonly socket: Socket<number>;
  readonly endpoint: Endpoint;
  /** Undoes what closing the socket leaves: removes its file. */
  readonly cleanUp: () => void;
}

// What a machine without IPv6 answers, or one that has an address in its hosts file only.
const NO_SUCH_FAMILY: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/**
 * Makes the sockets of a server's address: several where a host name has several addresses.
 *
 * @throws CommandError with the one line that says why not; then nothing stays open
 */
export async function bindEndpoint(
  endpoint: Endpoint,
  settings: readonly OptionSetting[] = [],
): Promise<BoundSocket[]> {
  const targets = await resolveEndpoint(endpoint, 'server');
  const bound: BoundSocket[] = [];
  let failure: unknown;
  let port = 'port' in endpoint ? endpoint.port : 0;
  for (const target of targets) {
    try {
      const made = await bindTarget(endpoint, withPort(target, port), settings);
      bound.push(made);
      port = portOf(made.socket) ?? port;
    } catch (error) {
      failure = error;
      if (!(error instanceof SocketError) || !NO_SUCH_FAMILY.has(error.code)) break;
      failure = undefined;
      if (bound.length === 0) failure = error;
    }
  }
  if (failure === undefined && bound.length > 0) return bound;
  for (const { socket, cleanUp } of bound) {
    socket.close();
    cleanUp();
  }
  throw failure instanceof CommandError ? failure : explainError('listen on', endpoint, failure);
}

/** The addresses of one name share the port that the kernel chose for the first. */
function withPort(target: Target, port: number): Target {
  return 'host' in target.address ? { ...target, address: { ...target.address, port } } : target;
}

function portOf(socket: Socket<number>): number | undefined {
  const address = socket.getsockname();
  return 'host' in address ? address.port : undefined;
}

async function bindTarget(
  endpoint: Endpoint,
  target: Target,
  settings: readonly OptionSetting[],
): Promise<BoundSocket> {
  if ('path' in endpoint) await removeStaleSocketFile(endpoint, target);
  const everyInterface = 'host' in endpoint && endpoint.host === '';
  const prepare = (made: Socket<number>): void => applyOptions(made, settings);
  const socket = everyInterface ? bindEveryInterface(target, prepare) : bindSocket(target, prepare);
  try {
    if (target.type !== SOCK_DGRAM) socket.listen();
    return { socket, endpoint, cleanUp: ownSocketFile(socket.getsockname()) };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Sets what has to be set before the bind. */
type Prepare = (socket: Socket<number>) => void;

/** Both families on one socket; IPv4 alone where the kernel has no IPv6. */
function bindEveryInterface(target: Target, prepare: Prepare): Socket<number> {
  try {
    return bindSocket(target, (socket) => {
      socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
      prepare(socket);
    });
  } catch (error) {
    if (!(error instanceof SocketError) || !NO_SUCH_FAMILY.has(error.code)) throw error;
    const address = { ...target.address, host: '0.0.0.0' };
    return bindSocket({ ...target, family: AF_INET, address }, prepare);
  }
}

function bindSocket({ family, type, address }: Target, prepare: Prepare): Socket<number> {
  const socket = new Socket<number>(family, type);
  try {
    const isInet = family === AF_INET || family === AF_INET6;
    // Without it a server that is started again must wait for TIME_WAIT to pass; with it two UDP
    // servers could share a port and take each other's datagrams (socket(7)).
    if (isInet && type !== SOCK_DGRAM) socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    prepare(socket);
    socket.bind(address);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

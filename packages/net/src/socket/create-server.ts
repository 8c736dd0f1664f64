import {
  type AddressInput,
  type AddressInputOf,
  type InetAddress,
  isNumericHost,
  type UnixAddress,
} from '../address/index.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../constants/index.ts';
import { invalidType, invalidValue, SocketError } from '../errors/index.ts';
import { Socket } from './socket.ts';

export interface ServerSocketOptions {
  /** AF_INET, AF_INET6 or AF_UNIX; by default what the address looks like, AF_INET for a name. */
  readonly family?: number | undefined;
  /** Connections that may wait to be accepted. */
  readonly backlog?: number | undefined;
  /** Lets other sockets listen on the same port, the kernel sharing the connections out. */
  readonly reusePort?: boolean | undefined;
  /** An AF_INET6 socket takes IPv4 connections too. */
  readonly dualstackIpv6?: boolean | undefined;
}

/** Whether the kernel has IPv6 at all. */
export const hasIpv6: boolean = canOpen(AF_INET6);

/** The families that an address may belong to. */
export type FamilyOf<To extends InetAddress | UnixAddress> = To extends UnixAddress
  ? typeof AF_UNIX
  : typeof AF_INET | typeof AF_INET6;

function canOpen(family: number): boolean {
  try {
    new Socket(family, SOCK_STREAM).close();
    return true;
  } catch (error) {
    // No free descriptor says nothing about the family.
    return error instanceof SocketError && (error.code === 'EMFILE' || error.code === 'ENFILE');
  }
}

/** Whether one AF_INET6 socket can take IPv4 connections as well. */
export function hasDualstackIpv6(): boolean {
  if (!hasIpv6) return false;
  try {
    using socket = new Socket(AF_INET6, SOCK_STREAM);
    socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return true;
  } catch {
    return false;
  }
}

function familyOf(address: unknown): number {
  if (typeof address !== 'object' || address === null) {
    throw invalidType('address', '{ host, port } or { path }', address);
  }
  if ('path' in address) return AF_UNIX;
  const { host } = address as { host?: unknown };
  const isIpv6 = typeof host === 'string' && host !== '' && isNumericHost(AF_INET6, host);
  return isIpv6 ? AF_INET6 : AF_INET;
}

/**
 * Makes a listening stream socket with SO_REUSEADDR, so that a restarted server gets its port back.
 *
 * @throws SocketError EADDRINUSE, EACCES, EADDRNOTAVAIL
 *
 * @example
 * using listener = createServer({ host: '127.0.0.1', port: 0 });
 * assert.equal(listener.getsockname().host, '127.0.0.1');
 */
export function createServer<To extends InetAddress | UnixAddress>(
  address: To,
  options: ServerSocketOptions = {},
): Socket<FamilyOf<To>> {
  const { backlog, reusePort = false, dualstackIpv6 = false } = options;
  const family = options.family ?? (dualstackIpv6 ? AF_INET6 : familyOf(address));
  if (dualstackIpv6 && family !== AF_INET6) {
    throw invalidValue('dualstackIpv6', 'the family AF_INET6', family);
  }
  if (dualstackIpv6 && !hasDualstackIpv6()) {
    throw invalidValue('dualstackIpv6', 'a system with dual-stack IPv6', dualstackIpv6);
  }
  const socket = new Socket(family as FamilyOf<To>, SOCK_STREAM);
  try {
    if (family !== AF_UNIX) socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort) socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    if (family === AF_INET6) {
      socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, dualstackIpv6 ? 0 : 1);
    }
    socket.bind(address as AddressInput as AddressInputOf<FamilyOf<To>>);
    if (backlog === undefined) socket.listen();
    else socket.listen(backlog);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

import {
  AF_INET,
  AF_INET6,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  SO_BROADCAST,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  SocketError,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
} from '@sockeye/net';
import { isIP } from 'node:net';
import { quote } from '../address/address-syntax-error.ts';
import { applyOptions, type OptionSetting } from '../channel/socket-settings.ts';
import { CommandError, usageError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';
import { ECHO_TYPE, type IpVersion } from './echo-message.ts';

const NOT_ALLOWED: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/** How a socket for echo requests differs from the system's defaults. */
export interface IcmpSocketOptions {
  /** Hops that a request may take. */
  readonly ttl?: number | undefined;
  /** The address that requests come from. */
  readonly source?: string | undefined;
  readonly settings?: readonly OptionSetting[] | undefined;
}

/**
 * Opens a socket that sends echo requests: a datagram one where net.ipv4.ping_group_range has our
 * group, which needs no privilege and gets its own replies only; a raw one otherwise.
 *
 * @throws CommandError with what would allow it
 * Source: icmp(7), raw(7).
 */
export function openIcmpSocket(
  version: IpVersion,
  { ttl, source, settings }: IcmpSocketOptions = {},
): Socket<number> {
  const socket = openAny(version);
  try {
    if (version === 4) prepare4(socket, ttl);
    else prepare6(socket, ttl);
    // Both times are the kernel's, so that the event loop's delays are no part of a round trip.
    socket.options.set(
      'SO_TIMESTAMPING',
      SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
    );
    applyOptions(socket, settings);
    bind(socket, version, source);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function bind(socket: Socket<number>, version: IpVersion, source: string | undefined): void {
  const any = version === 4 ? '0.0.0.0' : '::';
  // The number that stands for a port is the identifier of a datagram socket; the kernel chooses it.
  if (source === undefined) {
    if (socket.type === SOCK_DGRAM) socket.bind({ host: any, port: 0 });
    return;
  }
  if (isIP(source.split('%')[0] ?? '') !== version) {
    throw usageError(`cannot use --source ${quote(source)}: expected an IPv${version} address`);
  }
  try {
    socket.bind({ host: source, port: 0 });
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    const message = `cannot send from ${source}: ${reasonOf(error)}`;
    throw new CommandError(message, undefined, { cause: error });
  }
}

function openAny(version: IpVersion): Socket<number> {
  let last: unknown;
  for (const type of [SOCK_DGRAM, SOCK_RAW]) {
    try {
      return version === 4
        ? new Socket<number>(AF_INET, type, IPPROTO_ICMP)
        : new Socket<number>(AF_INET6, type, IPPROTO_ICMPV6);
    } catch (error) {
      last = error;
    }
  }
  const help =
    last instanceof SocketError && NOT_ALLOWED.has(last.code)
      ? 'not permitted; run as root or with CAP_NET_RAW, or allow your group with ' +
        'sysctl -w net.ipv4.ping_group_range="0 2147483647"'
      : reasonOf(last);
  throw new CommandError(`cannot open an ICMP socket: ${help}`, undefined, { cause: last });
}

function prepare4(socket: Socket<number>, ttl: number | undefined): void {
  socket.options.set('IP_RECVERR', true);
  socket.options.set('IP_RECVTTL', true);
  socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
  if (ttl !== undefined) {
    socket.options.set('IP_TTL', ttl);
    socket.options.set('IP_MULTICAST_TTL', ttl);
  }
  if (socket.type === SOCK_RAW) socket.options.set('ICMP_FILTER', allBut(ECHO_TYPE[4].reply, 32));
}

function prepare6(socket: Socket<number>, ttl: number | undefined): void {
  socket.options.set('IPV6_RECVERR', true);
  socket.options.set('IPV6_RECVHOPLIMIT', true);
  if (ttl !== undefined) {
    socket.options.set('IPV6_UNICAST_HOPS', ttl);
    socket.options.set('IPV6_MULTICAST_HOPS', ttl);
  }
  if (socket.type === SOCK_RAW) socket.options.set('ICMP6_FILTER', allBut(ECHO_TYPE[6].reply, 256));
}

/** The filters block what they name. */
function allBut(type: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => i !== type);
}

// What to do about a failed call: the sentence behind SocketError.hint. Nothing here runs before
// somebody reads it, and what can't be found out, because no descriptor is free, is left out.

import { readFileSync } from 'node:fs';
import { native } from '@sockeye/native';
import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET6,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_VSOCK,
  IPPROTO_MPTCP,
  IPPROTO_SCTP,
  SO_BINDTODEVICE,
  SO_MARK,
  SO_PRIORITY,
  SOCK_DGRAM,
  SOCK_RAW,
} from '../constants/index.ts';
import { isInTimeWait, pathHolder, type PortHolder, portHolder } from './port-holder-linux.ts';

/** What is known of the call that failed. */
export interface CallContext {
  readonly family?: number | undefined;
  readonly type?: number | undefined;
  readonly proto?: number | undefined;
  readonly address?: unknown;
  /** The option of a getsockopt or setsockopt. */
  readonly option?: number | undefined;
  /** Whether a bind was of a socket with SO_REUSEADDR. */
  readonly reusesAddress?: boolean | undefined;
}

// The kernel modules that bring a family or a protocol; the names are those of modprobe(8).
const FAMILY_MODULE = new Map<number | undefined, [string, string]>([
  [AF_CAN, ['AF_CAN', 'can']],
  [AF_TIPC, ['AF_TIPC', 'tipc']],
  [AF_VSOCK, ['AF_VSOCK', 'vsock']],
  [AF_ALG, ['AF_ALG', 'af_alg']],
  [AF_RDS, ['AF_RDS', 'rds']],
  [AF_QIPCRTR, ['AF_QIPCRTR', 'qrtr']],
  [AF_BLUETOOTH, ['AF_BLUETOOTH', 'bluetooth']],
  [AF_PACKET, ['AF_PACKET', 'af_packet']],
]);
const FIRST_UNPRIVILEGED = '/proc/sys/net/ipv4/ip_unprivileged_port_start';

type Explainer = (context: CallContext) => string | undefined;

const EXPLAINERS: Readonly<Record<string, Explainer>> = {
  EADDRINUSE: addressInUse,
  EADDRNOTAVAIL: ({ family }) =>
    family === AF_VSOCK
      ? 'the cid is not of this machine'
      : 'no interface of this machine has that address (see: ip addr)',
  EACCES: denied,
  EPERM: denied,
  EAFNOSUPPORT: noFamily,
  EPROTONOSUPPORT: noProtocol,
  ESOCKTNOSUPPORT: noProtocol,
  EMFILE: () => `this process may have ${native.descriptorLimit()} open descriptors (ulimit -n)`,
  ENFILE: () => 'the system has no descriptor left (see: sysctl fs.file-nr)',
  ECONNREFUSED: () => 'nobody listens there',
  ENETUNREACH: () => 'there is no route to that network (see: ip route)',
  EHOSTUNREACH: () => 'nothing answers for that host',
  EMSGSIZE: () => 'a datagram of that size does not fit the protocol or the path',
};

/** One sentence on what to do about a failed call; undefined where nothing more is known. */
export function explain(code: string, context: CallContext): string | undefined {
  try {
    return EXPLAINERS[code]?.(context);
  } catch {
    return undefined;
  }
}

function addressInUse({ family, type, address, reusesAddress }: CallContext): string | undefined {
  const { port, path } = (address ?? {}) as { port?: number; path?: string };
  if (typeof path === 'string') {
    return heldBy(pathHolder(path)) ?? 'the file is there, but nobody listens: remove it';
  }
  if (typeof port !== 'number' || family === AF_VSOCK) return undefined;
  const holder = heldBy(portHolder(type === SOCK_DGRAM ? 'udp' : 'tcp', port));
  if (holder !== undefined) return holder;
  if (!reusesAddress)
    return 'if it is a connection that has just ended, set SO_REUSEADDR before bind';
  return type !== SOCK_DGRAM && isInTimeWait(port)
    ? 'a connection that ended a short while ago still holds this port: wait a minute or take another port'
    : undefined;
}

function heldBy(holder: PortHolder | undefined): string | undefined {
  return holder === undefined ? undefined : `${holder.name} (pid ${holder.pid}) holds it`;
}

function denied(context: CallContext): string | undefined {
  const { family, type, address, option } = context;
  const { host, port, path } = (address ?? {}) as { host?: string; port?: number; path?: string };
  if (option !== undefined) return optionDenied(option);
  if (type === SOCK_RAW || family === AF_PACKET) {
    return 'raw and packet sockets need CAP_NET_RAW: run as root, or setcap cap_net_raw+ep on node';
  }
  if (typeof path === 'string') return 'the directory or the socket file denies it: see ls -ld';
  if (typeof host === 'string' && (host === '<broadcast>' || host.endsWith('.255'))) {
    return 'sending to a broadcast address needs SO_BROADCAST';
  }
  if (typeof port === 'number' && port > 0 && port < firstUnprivilegedPort()) {
    return `ports below ${firstUnprivilegedPort()} need CAP_NET_BIND_SERVICE: run as root, take a higher port, or setcap cap_net_bind_service+ep on node`;
  }
  return undefined;
}

function optionDenied(option: number): string | undefined {
  if (option === SO_BINDTODEVICE) return 'SO_BINDTODEVICE needs CAP_NET_RAW';
  if (option === SO_MARK || option === SO_PRIORITY) return 'the option needs CAP_NET_ADMIN';
  return undefined;
}

/** ip(7): where the range begins that everybody may bind; 1024 unless the system says otherwise. */
function firstUnprivilegedPort(): number {
  try {
    return Number(readFileSync(FIRST_UNPRIVILEGED, 'latin1'));
  } catch {
    return 1024;
  }
}

function noFamily({ family }: CallContext): string | undefined {
  if (family === AF_INET6) return 'this kernel has IPv6 switched off (ipv6.disable=1)';
  const known = FAMILY_MODULE.get(family);
  if (known === undefined) return `this kernel has no sockets of family ${family}`;
  return `this kernel has no ${known[0]}: its module is ${known[1]} (modprobe ${known[1]})`;
}

function noProtocol(context: CallContext): string | undefined {
  const { family, type, proto } = context;
  if (proto === IPPROTO_SCTP) return 'this kernel has no SCTP: its module is sctp (modprobe sctp)';
  if (proto === IPPROTO_MPTCP) return 'this kernel has no MPTCP (see: sysctl net.mptcp.enabled)';
  if (FAMILY_MODULE.has(family)) return noFamily(context);
  return `the family ${family} has no sockets of type ${type} and protocol ${proto} in this kernel`;
}

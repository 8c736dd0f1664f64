import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  type AddressInput,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_VSOCK,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  VMADDR_CID_ANY,
} from '@sockeye/net';
import { CommandError, usageError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import type { Endpoint, HostEndpoint } from './address.ts';
import { formatEndpoint } from './format-address.ts';

/** What a socket for an endpoint is made of. */
export interface Target {
  readonly family: number;
  readonly type: number;
  readonly address: AddressInput;
}

/**
 * The sockets that an endpoint may mean, in the order in which to try them. A host name is looked up.
 *
 * An empty host is every interface to a server, and this machine to a client.
 *
 * @throws CommandError for a name that nobody knows, and for what isn't possible yet
 */
export async function resolveEndpoint(
  endpoint: Endpoint,
  role: 'client' | 'server',
): Promise<Target[]> {
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp':
      return hostTargets(endpoint, role);
    case 'tls':
      throw usageError(`cannot use ${formatEndpoint(endpoint)}: TLS is not supported yet`);
    case 'unix':
      return [{ family: AF_UNIX, type: SOCK_STREAM, address: { path: endpoint.path } }];
    case 'unix-dgram':
      return [{ family: AF_UNIX, type: SOCK_DGRAM, address: { path: endpoint.path } }];
    case 'unix-seqpacket':
      return [{ family: AF_UNIX, type: SOCK_SEQPACKET, address: { path: endpoint.path } }];
    case 'vsock':
      return [vsockTarget(endpoint, role)];
    default:
      return endpoint satisfies never;
  }
}

async function hostTargets(endpoint: HostEndpoint, role: 'client' | 'server'): Promise<Target[]> {
  if (role === 'client' && endpoint.port === 0) {
    throw usageError(`cannot connect to ${formatEndpoint(endpoint)}: port 0 is for servers only`);
  }
  const type = endpoint.transport === 'udp' ? SOCK_DGRAM : SOCK_STREAM;
  const hosts = await hostsOf(endpoint, role);
  return hosts.map((host) => ({
    family: isIPv6(host) ? AF_INET6 : AF_INET,
    type,
    address: { host, port: endpoint.port },
  }));
}

async function hostsOf(endpoint: HostEndpoint, role: 'client' | 'server'): Promise<string[]> {
  const { host } = endpoint;
  if (host === '') return role === 'server' ? ['::'] : ['127.0.0.1', '::1'];
  if (isIP(host) !== 0) return [host];
  try {
    const found = await lookup(domainToASCII(host) || host, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    const code = errorCode(error);
    const reason = code === 'ENOTFOUND' ? 'no such host' : 'the host cannot be looked up';
    throw new CommandError(`cannot use ${formatEndpoint(endpoint)}: ${reason} (${code})`, 1, {
      cause: error,
    });
  }
}

function vsockTarget(
  { cid, port }: { cid: number | undefined; port: number },
  role: 'client' | 'server',
): Target {
  if (cid === undefined && role === 'client') {
    throw usageError(
      `cannot connect to vsock://:${port}: it has no cid; expected vsock://cid:port`,
    );
  }
  return {
    family: AF_VSOCK,
    type: SOCK_STREAM,
    address: { cid: cid ?? VMADDR_CID_ANY, port },
  };
}

import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  AddressInfoError,
  type AddressInput,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_VSOCK,
  getaddrinfo,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  VMADDR_CID_ANY,
} from '@sockeye/net';
import { CommandError, usageError } from '../command-error.ts';
import type { Endpoint, HostEndpoint } from './address.ts';
import { formatEndpoint } from './format-address.ts';

// getaddrinfo(3): the name has no address, or the resolver says that it is none.
const NO_SUCH_HOST: ReadonlySet<string> = new Set(['EAI_NONAME', 'EAI_NODATA']);

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
 * @throws CommandError for a name that nobody knows, and for an address that is a server's only
 */
export async function resolveEndpoint(
  endpoint: Endpoint,
  role: 'client' | 'server',
): Promise<Target[]> {
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp':
    case 'tls':
      return hostTargets(endpoint, role);
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
    const found = await getaddrinfo(domainToASCII(host) || host, 0, { type: SOCK_STREAM });
    return [...new Set(found.flatMap(({ address }) => ('host' in address ? address.host : [])))];
  } catch (error) {
    if (!(error instanceof AddressInfoError)) throw error;
    const reason = NO_SUCH_HOST.has(error.code) ? 'no such host' : 'the host cannot be looked up';
    throw new CommandError(
      `cannot look up ${formatEndpoint(endpoint)}: ${reason} (${error.code})`,
      1,
      {
        cause: error,
      },
    );
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

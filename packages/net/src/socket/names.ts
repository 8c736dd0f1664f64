// Host, service and protocol names: what netdb.h offers, with Python's shapes.

import { native } from '@sockeye/native';
import type { RawAddressInfo, RawHost } from '@sockeye/native';
import {
  type Address,
  type AddressInput,
  decodeAddress,
  encodeAddress,
  inetNtop,
  inetPton,
  isNumericHost,
} from '../address/index.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  EAI_FAMILY,
  EAI_NONAME,
  ENOENT,
} from '../constants/index.ts';
import {
  AddressInfoError,
  checkInteger,
  checkString,
  HostError,
  invalidType,
  SocketError,
} from '../errors/index.ts';
import { interfaceNames } from './interface-names.ts';
import { checkHost, lookupError } from './resolve-address.ts';

const MAX_INT = 0x7fffffff;

/** Narrows a look-up; what is omitted is any. */
export interface AddressInfoHints {
  readonly family?: number | undefined;
  readonly type?: number | undefined;
  readonly proto?: number | undefined;
  /** AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST, … */
  readonly flags?: number | undefined;
}

/** One address that a name has, with the arguments of the socket to reach it by. */
export interface ResolvedAddress {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  /** With AI_CANONNAME, in the first result; else ''. */
  readonly canonname: string;
  readonly address: Address;
}

type LookupArguments = [string | null, string | null, number, number, number, number];

function lookupArguments(
  host: unknown,
  service: unknown,
  { family = 0, type = 0, proto = 0, flags = 0 }: AddressInfoHints,
): LookupArguments {
  if (host !== null && host !== undefined && typeof host !== 'string') {
    throw invalidType('host', 'a string or null', host);
  }
  if (typeof host === 'string') checkHost(host);
  return [
    // An empty host is no host, as in Python.
    host === undefined || host === '' ? null : host,
    checkService(service),
    checkInteger('family', family, -MAX_INT, MAX_INT),
    checkInteger('type', type, -MAX_INT, MAX_INT),
    checkInteger('proto', proto, -MAX_INT, MAX_INT),
    checkInteger('flags', flags, -MAX_INT, MAX_INT),
  ];
}

function checkService(service: unknown): string | null {
  if (service === null || service === undefined) return null;
  if (typeof service === 'number') return String(checkInteger('service', service, 0, 0xffff));
  if (typeof service !== 'string')
    throw invalidType('service', 'a string, a port or null', service);
  if (service.includes('\0')) throw invalidType('service', 'a string without NUL', service);
  return service;
}

function addressInfos(found: RawAddressInfo[] | number, host: string | null): ResolvedAddress[] {
  if (typeof found === 'number') throw lookupError(found, host);
  return found.map(({ address, ...rest }) => ({
    ...rest,
    address: decodeAddress(address, address.length, { interfaces: interfaceNames }) as Address,
  }));
}

/**
 * The addresses of a host and a service.
 *
 * @param host a name, a numeric address (with `%interface`), or null for this host
 * @param service a name, a port number, or null
 * @returns in the order to try them in (RFC 6724)
 * @throws AddressInfoError EAI_NONAME, EAI_AGAIN, EAI_FAMILY, EAI_SERVICE, …
 * Source: getaddrinfo(3).
 */
export async function getaddrinfo(
  host: string | null,
  service: string | number | null,
  hints: AddressInfoHints = {},
): Promise<ResolvedAddress[]> {
  const call = lookupArguments(host, service, hints);
  return addressInfos(await native.getaddrinfo(...call), call[0]);
}

/** `getaddrinfo`, blocking the thread. */
export function getaddrinfoSync(
  host: string | null,
  service: string | number | null,
  hints: AddressInfoHints = {},
): ResolvedAddress[] {
  const call = lookupArguments(host, service, hints);
  return addressInfos(native.getaddrinfoSync(...call), call[0]);
}

/** The sockaddr of a numeric address, of whichever family it is. */
function sockaddrOf(address: unknown): Buffer {
  if (typeof address !== 'object' || address === null) {
    throw invalidType('address', '{ host, port }', address);
  }
  const { host } = address as { host?: unknown };
  const family = typeof host === 'string' && isNumericHost(AF_INET, host) ? AF_INET : AF_INET6;
  if (typeof host === 'string' && !isNumericHost(family, host)) {
    throw new AddressInfoError('getnameinfo', EAI_NONAME, host);
  }
  return encodeAddress(family as number, address as AddressInput, { interfaces: interfaceNames });
}

function nameInfo(found: { host: string; service: string } | number): {
  host: string;
  service: string;
} {
  if (typeof found !== 'number') return found;
  if (found > 0) throw new SocketError('getnameinfo', found);
  throw new AddressInfoError('getnameinfo', found);
}

/**
 * The names of an address.
 *
 * @param address numeric; an AF_INET6 one may have flowinfo and scopeId
 * @param flags NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM, …
 * @returns host (numeric where it has no name; `%interface` put back) and service
 * @throws AddressInfoError
 * Source: getnameinfo(3).
 */
export async function getnameinfo(
  address: { host: string; port: number; flowinfo?: number; scopeId?: number },
  flags: number = 0,
): Promise<{ host: string; service: string }> {
  const checked = checkInteger('flags', flags, -MAX_INT, MAX_INT);
  return nameInfo(await native.getnameinfo(sockaddrOf(address), checked));
}

/** `getnameinfo`, blocking the thread. */
export function getnameinfoSync(
  address: { host: string; port: number; flowinfo?: number; scopeId?: number },
  flags: number = 0,
): { host: string; service: string } {
  const checked = checkInteger('flags', flags, -MAX_INT, MAX_INT);
  return nameInfo(native.getnameinfoSync(sockaddrOf(address), checked));
}

const IPV4: AddressInfoHints = { family: AF_INET };

function firstIpv4(host: string): string | undefined {
  if (host === '' || host === '<broadcast>') return host === '' ? '0.0.0.0' : '255.255.255.255';
  return undefined;
}

const hostOf = (found: ResolvedAddress[]): string =>
  ((found[0] as ResolvedAddress).address as { host: string }).host;

/**
 * The IPv4 address of a host, as text. `''` is any address, `'<broadcast>'` the broadcast address.
 *
 * @throws AddressInfoError
 * Source: getaddrinfo(3), as Python does it.
 */
export async function gethostbyname(host: string): Promise<string> {
  return firstIpv4(checkString('host', host)) ?? hostOf(await getaddrinfo(host, null, IPV4));
}

/** `gethostbyname`, blocking the thread. */
export function gethostbynameSync(host: string): string {
  return firstIpv4(checkString('host', host)) ?? hostOf(getaddrinfoSync(host, null, IPV4));
}

/** A host's names and addresses. */
export interface HostEntry {
  readonly hostname: string;
  readonly aliases: string[];
  readonly addresses: string[];
}

function hostEntry(syscall: string, found: RawHost | number, host: string): HostEntry {
  if (typeof found === 'number') throw new HostError(syscall, found, host);
  const { hostname, aliases, family, addresses } = found;
  return { hostname, aliases, addresses: addresses.map((bytes) => inetNtop(family, bytes)) };
}

/**
 * The names and IPv4 addresses of a host.
 *
 * @throws AddressInfoError when the name means nothing; HostError
 * Source: gethostbyname_r(3).
 */
export async function gethostbynameEx(host: string): Promise<HostEntry> {
  await gethostbyname(host);
  return hostEntry('gethostbyname', await native.gethostbyname(host), host);
}

/** `gethostbynameEx`, blocking the thread. */
export function gethostbynameExSync(host: string): HostEntry {
  gethostbynameSync(host);
  return hostEntry('gethostbyname', native.gethostbynameSync(host), host);
}

function addressBytes(infos: ResolvedAddress[]): [Buffer, number] {
  const { family, address } = infos[0] as ResolvedAddress;
  if (family !== AF_INET && family !== AF_INET6) {
    throw new AddressInfoError('gethostbyaddr', EAI_FAMILY);
  }
  const { host } = address as { host: string };
  return [inetPton(family, host.split('%')[0] as string), family];
}

const ANY_FAMILY: AddressInfoHints = { family: AF_UNSPEC };

/**
 * The names of the host that has an address.
 *
 * @param host a numeric address, or a name that is looked up first
 * @throws AddressInfoError, HostError HOST_NOT_FOUND
 * Source: gethostbyaddr_r(3).
 */
export async function gethostbyaddr(host: string): Promise<HostEntry> {
  const [bytes, family] = addressBytes(
    await getaddrinfo(checkString('host', host), null, ANY_FAMILY),
  );
  return hostEntry('gethostbyaddr', await native.gethostbyaddr(bytes, family), host);
}

/** `gethostbyaddr`, blocking the thread. */
export function gethostbyaddrSync(host: string): HostEntry {
  const [bytes, family] = addressBytes(
    getaddrinfoSync(checkString('host', host), null, ANY_FAMILY),
  );
  return hostEntry('gethostbyaddr', native.gethostbyaddrSync(bytes, family), host);
}

const ANY_HOSTS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

function qualified({ hostname, aliases }: HostEntry): string {
  return [hostname, ...aliases].find((name) => name.includes('.')) ?? hostname;
}

/** The fully qualified name of a host, as far as one is known; of this host without an argument. */
export async function getfqdn(name: string = ''): Promise<string> {
  const host = ANY_HOSTS.has(checkString('name', name).trim()) ? gethostname() : name.trim();
  try {
    return qualified(await gethostbyaddr(host));
  } catch (error) {
    if (isLookupFailure(error)) return host;
    throw error;
  }
}

/** `getfqdn`, blocking the thread. */
export function getfqdnSync(name: string = ''): string {
  const host = ANY_HOSTS.has(checkString('name', name).trim()) ? gethostname() : name.trim();
  try {
    return qualified(gethostbyaddrSync(host));
  } catch (error) {
    if (isLookupFailure(error)) return host;
    throw error;
  }
}

function isLookupFailure(error: unknown): boolean {
  return (
    error instanceof AddressInfoError || error instanceof HostError || error instanceof SocketError
  );
}

/** This host's name. Source: gethostname(2). */
export function gethostname(): string {
  const name = native.gethostname();
  if (typeof name === 'number') throw new SocketError('gethostname', -name);
  return name;
}

/**
 * Names this host.
 *
 * @throws SocketError EPERM without CAP_SYS_ADMIN, EINVAL for a name too long
 * Source: sethostname(2).
 */
export function sethostname(name: string | Uint8Array): void {
  if (typeof name !== 'string' && !(name instanceof Uint8Array)) {
    throw invalidType('name', 'a string or a Uint8Array', name);
  }
  const status = native.sethostname(typeof name === 'string' ? Buffer.from(name) : name);
  if (status < 0) throw new SocketError('sethostname', -status);
}

function checkProtocolName(protocol: unknown): string | null {
  return protocol === undefined || protocol === null ? null : checkString('protocol', protocol);
}

/**
 * The port of a service such as 'http'.
 *
 * @param protocol 'tcp', 'udp'; any if omitted
 * @throws SocketError when there is no such service
 * Source: getservbyname(3), services(5).
 */
export function getservbyname(service: string, protocol?: string): number {
  const port = native.getservbyname(checkString('service', service), checkProtocolName(protocol));
  if (port < 0) throw notFound('getservbyname', `service ${service}`);
  return port;
}

/**
 * The service at a port.
 *
 * @throws SocketError when none is known
 * Source: getservbyport(3), services(5).
 */
export function getservbyport(port: number, protocol?: string): string {
  const checked = checkInteger('port', port, 0, 0xffff);
  const name = native.getservbyport(checked, checkProtocolName(protocol));
  if (name === null) throw notFound('getservbyport', `port ${port}`);
  return name;
}

/**
 * The number of a protocol such as 'icmp'.
 *
 * @throws SocketError when there is no such protocol
 * Source: getprotobyname(3), protocols(5).
 */
export function getprotobyname(name: string): number {
  const number = native.getprotobyname(checkString('name', name));
  if (number < 0) throw notFound('getprotobyname', `protocol ${name}`);
  return number;
}

// netdb.h has no errno for it, and Python's error none either.
function notFound(syscall: string, what: string): SocketError {
  return new SocketError(syscall, ENOENT, { reason: `no ${what} is known` });
}

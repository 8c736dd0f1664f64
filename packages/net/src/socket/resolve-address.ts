import { native } from '@sockeye/native';
import {
  type Address,
  type AddressInput,
  decodeAddress,
  encodeAddressInto,
  isNumericHost,
} from '../address/index.ts';
import { AF_INET, AF_INET6, EAI_NONAME, SOCK_DGRAM } from '../constants/index.ts';
import { AddressInfoError, SocketError } from '../errors/index.ts';
import { interfaceNames } from './interface-names.ts';
import { addressIn } from './scratch.ts';

/** An address whose host may be a name. */
export type HostAddress = { readonly host: string; readonly port: number };

/** Whether the address names a host that must be looked up before the kernel can take it. */
export function needsLookup(family: number, address: AddressInput): address is HostAddress {
  if (family !== AF_INET && family !== AF_INET6) return false;
  if (typeof address !== 'object' || address === null) return false;
  const { host } = address as Partial<HostAddress>;
  return typeof host === 'string' && !isNumericHost(family, host);
}

function results(
  family: number,
  wanted: HostAddress,
  found: { address: Uint8Array }[] | number,
): Address[] {
  if (typeof found === 'number') throw lookupError(found, wanted.host);
  const addresses = found.map(({ address }) => ({
    ...wanted,
    ...(decodeAddress(address) as Address),
    port: wanted.port,
  }));
  if (addresses.length === 0) throw new AddressInfoError('getaddrinfo', EAI_NONAME, wanted.host);
  return family === AF_INET6 ? addresses.map((address) => keepScope(address, wanted)) : addresses;
}

/** What the caller said of flow and scope counts for every address that the name has. */
function keepScope(address: Address, wanted: HostAddress): Address {
  const { flowinfo, scopeId } = wanted as { flowinfo?: number; scopeId?: number };
  return {
    ...address,
    ...(flowinfo === undefined ? {} : { flowinfo }),
    ...(scopeId === undefined || scopeId === 0 ? {} : { scopeId }),
  };
}

/** The error for what the look-up returned: an EAI_ code (negative) or an errno. */
export function lookupError(code: number, host: string | null): Error {
  return code > 0
    ? new SocketError('getaddrinfo', code, { address: host })
    : new AddressInfoError('getaddrinfo', code, host);
}

/** The addresses of a host name, as getaddrinfo(3) orders them. */
export async function lookUp(family: number, address: HostAddress): Promise<Address[]> {
  checkBeforeLookup(family, address);
  return results(
    family,
    address,
    await native.getaddrinfo(address.host, null, family, SOCK_DGRAM, 0, 0),
  );
}

/** The same, blocking the thread. */
export function lookUpSync(family: number, address: HostAddress): Address[] {
  checkBeforeLookup(family, address);
  return results(
    family,
    address,
    native.getaddrinfoSync(address.host, null, family, SOCK_DGRAM, 0, 0),
  );
}

/** Everything about the address but its host is checked before anybody is asked for that. */
function checkBeforeLookup(family: number, address: HostAddress): void {
  checkHost(address.host);
  encodeAddressInto(family, 0, { ...address, host: '' }, addressIn, interfaceNames);
}

/** A NUL would end the name early in C, and name another host. */
export function checkHost(host: string): void {
  if (host.includes('\0')) throw new AddressInfoError('getaddrinfo', EAI_NONAME, host);
}

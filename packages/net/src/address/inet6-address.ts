import { checkInteger, checkString } from '../errors/index.ts';
import type { Inet6Address, Inet6AddressInput, InterfaceNames, Unchecked } from './address.ts';
import { formatIpv6 } from './ipv6-text.ts';
import { interfaceIndex } from './interface-index.ts';
import { endOfIpv6, notNumeric, parseInet6Host } from './numeric-host.ts';
import { read16, read32, readNative32, write16, write32, writeNative32 } from './sockaddr.ts';

// struct sockaddr_in6, ipv6(7):
//    0       2       4               8               24             28
//   | family| port  | flowinfo      | address  …    | scope_id      |
//   | native| big   | big           |               | native        |
const LENGTH = 28;
const MAX_FLOWINFO = 0xfffff;
const MAX_32 = 0xffffffff;

/** Writes a sockaddr_in6; returns its length. */
export function encodeInet6(
  address: Unchecked<Inet6AddressInput>,
  target: Uint8Array,
  interfaces?: InterfaceNames,
): number {
  const host = checkString('host', address.host);
  const port = checkInteger('port', address.port, 0, 65535);
  const flowinfo = checkInteger('flowinfo', address.flowinfo ?? 0, 0, MAX_FLOWINFO);
  const scopeId = checkInteger('scopeId', address.scopeId ?? 0, 0, MAX_32);
  if (!parseInet6Host(host, target, 8)) throw notNumeric(host, 'IPv6');
  write16(target, 2, port);
  write32(target, 4, flowinfo);
  writeNative32(target, 24, scopeId === 0 ? zoneIndex(host, interfaces) : scopeId);
  return LENGTH;
}

/** The interface that the host's zone names: by number, or by name as RFC 4007, section 11, has it. */
function zoneIndex(host: string, interfaces?: InterfaceNames): number {
  const end = endOfIpv6(host);
  if (end === host.length) return 0;
  const zone = host.slice(end + 1);
  if (/^[0-9]+$/.test(zone)) return checkInteger('scopeId', Number(zone), 0, MAX_32);
  return interfaceIndex('host', zone, interfaces);
}

/** Reads a sockaddr_in6. */
export function decodeInet6(bytes: Uint8Array): Inet6Address {
  return {
    host: formatIpv6(bytes, 8),
    port: read16(bytes, 2),
    // The traffic class above the flow label is no part of it; RFC 3493, section 3.3.
    flowinfo: read32(bytes, 4) & MAX_FLOWINFO,
    scopeId: readNative32(bytes, 24),
  };
}

import { checkInteger, checkString, invalidType } from '../errors/index.ts';
import type { InetAddress, Unchecked } from './address.ts';
import { formatIpv4 } from './ipv4-text.ts';
import { notNumeric, parseInetHost } from './numeric-host.ts';
import { read16, read32, write16, write32 } from './sockaddr.ts';

// struct sockaddr_in, ip(7):
//    0       2       4               8                               16
//   | family| port  | address       | zero                          |
//   | native| big   | big           |                               |
const LENGTH = 16;

/** Writes a sockaddr_in; returns its length. */
export function encodeInet(address: Unchecked<InetAddress>, target: Uint8Array): number {
  if (address.host === undefined) {
    throw invalidType('host', 'a string in { host, port }, since the socket is AF_INET', undefined);
  }
  const host = checkString('host', address.host);
  const { port } = address;
  const value = parseInetHost(host);
  if (value < 0) throw notNumeric(host, 'IPv4');
  write16(target, 2, isPort(port) ? port : checkInteger('port', port, 0, 65535));
  write32(target, 4, value);
  write32(target, 8, 0);
  write32(target, 12, 0);
  return LENGTH;
}

/** One comparison for the common case: whole, not negative, 16 bits. */
function isPort(port: unknown): port is number {
  return typeof port === 'number' && (port & 0xffff) === port;
}

/** Reads a sockaddr_in. */
export function decodeInet(bytes: Uint8Array): InetAddress {
  return { host: formatIpv4(read32(bytes, 4)), port: read16(bytes, 2) };
}

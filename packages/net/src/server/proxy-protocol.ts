// The PROXY protocol: how a proxy tells a server whom it speaks for, in front of the first byte.
// Source: "The PROXY protocol, versions 1 & 2", haproxy's proxy-protocol.txt.
//
// Version 1 is a line:      PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n     (at most 107 bytes)
// Version 2 is binary:
//
//   0            12       13       14        16
//   +------------+--------+--------+---------+---------------------------//--+
//   | signature  | ver|cmd| fam|prot| length | addresses, then TLVs          |
//   +------------+--------+--------+---------+---------------------------//--+

import { type Address, type InetAddress, inetNtop, inetPton } from '../address/index.ts';
import { AF_INET, AF_INET6 } from '../constants/index.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** What both versions have at least: enough to tell them apart. */
export const PROXY_PREFIX_BYTES = 12;
/** A version 2 header up to and with its length. */
export const PROXY_V2_FIXED_BYTES = 16;
/** The longest line of version 1, its CRLF included. */
export const PROXY_V1_MAX_BYTES = 107;
// Addresses take 216 bytes at most; what proxies add in TLVs stays far below this (arbitrary).
const MAX_V2_BYTES = 4096;

const V2 = 0x2;
const LOCAL = 0x0;
const PROXY = 0x1;
const INET_STREAM = 0x11;
const INET6_STREAM = 0x21;
const INET_BYTES = 12;
const INET6_BYTES = 36;

/** Who talks to whom; null for a health check of the proxy's own, or a family it doesn't tell. */
export interface ProxyHeader {
  readonly source: InetAddress | null;
  readonly destination: InetAddress | null;
}

/** A header that is none, or is malformed. */
export class ProxyProtocolError extends Error {
  readonly code = 'ERR_PROXY_PROTOCOL';

  constructor(reason: string) {
    super(`Cannot read PROXY protocol header: ${reason}`);
  }

  override get name(): string {
    return 'ProxyProtocolError';
  }
}

/** Which version the first PROXY_PREFIX_BYTES begin. */
export function proxyVersion(prefix: Buffer): 1 | 2 {
  if (prefix.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return 2;
  if (prefix.toString('latin1', 0, 6) === 'PROXY ') return 1;
  throw new ProxyProtocolError('expected "PROXY " or the signature of version 2');
}

function inetAddress(family: number, host: string, port: string): InetAddress {
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number > 65535) throw new ProxyProtocolError(`port ${port}`);
  try {
    return { host: inetNtop(family, inetPton(family, host)), port: number };
  } catch {
    throw new ProxyProtocolError(`address ${JSON.stringify(host)}`);
  }
}

/** Reads a whole version 1 line, its CRLF included. */
export function parseProxyV1(line: Buffer): ProxyHeader {
  const text = line.toString('latin1');
  if (!text.endsWith('\r\n')) throw new ProxyProtocolError('no CRLF within 107 bytes');
  const [, family, from = '', to = '', fromPort = '', toPort = '', ...rest] = text
    .slice(0, -2)
    .split(' ');
  if (family === 'UNKNOWN') return { source: null, destination: null };
  if ((family !== 'TCP4' && family !== 'TCP6') || rest.length > 0) {
    throw new ProxyProtocolError(`family ${JSON.stringify(family)}`);
  }
  const number = (family === 'TCP4' ? AF_INET : AF_INET6) as number;
  return {
    source: inetAddress(number, from, fromPort),
    destination: inetAddress(number, to, toPort),
  };
}

/** The bytes that follow a version 2 header's fixed part. */
export function proxyV2Length(fixed: Buffer): number {
  const length = fixed.readUInt16BE(14);
  if ((fixed[12] as number) >> 4 !== V2) throw new ProxyProtocolError('version is not 2');
  if (length > MAX_V2_BYTES)
    throw new ProxyProtocolError(`length ${length} exceeds ${MAX_V2_BYTES}`);
  return length;
}

/** Reads a version 2 header: its fixed part and what follows. */
export function parseProxyV2(fixed: Buffer, rest: Buffer): ProxyHeader {
  const command = (fixed[12] as number) & 0xf;
  const kind = fixed[13] as number;
  if (command === LOCAL) return { source: null, destination: null };
  if (command !== PROXY) throw new ProxyProtocolError(`command ${command}`);
  if (kind === INET_STREAM) return binaryAddresses(AF_INET, rest, 4, INET_BYTES);
  if (kind === INET6_STREAM) return binaryAddresses(AF_INET6, rest, 16, INET6_BYTES);
  return { source: null, destination: null };
}

function binaryAddresses(family: number, bytes: Buffer, size: number, needed: number): ProxyHeader {
  if (bytes.length < needed) throw new ProxyProtocolError(`${bytes.length} address bytes`);
  const host = (at: number): string => inetNtop(family, bytes.subarray(at, at + size));
  return {
    source: { host: host(0), port: bytes.readUInt16BE(2 * size) },
    destination: { host: host(size), port: bytes.readUInt16BE(2 * size + 2) },
  };
}

/**
 * The header that a client of a server behind a proxy sends first.
 *
 * @param version 1 is a line, 2 is binary
 */
export function proxyHeader(
  version: 1 | 2,
  source: Address | null,
  destination: Address | null,
): Buffer {
  const from = source as InetAddress | null;
  const to = destination as InetAddress | null;
  const known = typeof from?.host === 'string' && typeof to?.host === 'string';
  if (version === 1) {
    if (!known) return Buffer.from('PROXY UNKNOWN\r\n');
    const family = from.host.includes(':') ? 'TCP6' : 'TCP4';
    return Buffer.from(`PROXY ${family} ${from.host} ${to.host} ${from.port} ${to.port}\r\n`);
  }
  if (!known) return Buffer.concat([SIGNATURE, Buffer.from([(V2 << 4) | LOCAL, 0, 0, 0])]);
  const family = (from.host.includes(':') ? AF_INET6 : AF_INET) as number;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  const addresses = Buffer.concat([inetPton(family, from.host), inetPton(family, to.host), ports]);
  const kind = family === AF_INET ? INET_STREAM : INET6_STREAM;
  const head = Buffer.from([(V2 << 4) | PROXY, kind, 0, addresses.length]);
  return Buffer.concat([SIGNATURE, head, addresses]);
}

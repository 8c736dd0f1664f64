// The PROXY protocol in front of a connection's bytes: whom a proxy speaks for. Source: "The PROXY
// protocol, versions 1 & 2", haproxy's proxy-protocol.txt. Version 1 is a line of at most 107 bytes,
// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`; version 2 is binary:
//
//   0            12       13       14        16
//   +------------+--------+--------+---------+---------------------------//--+
//   | signature  | ver|cmd| fam|prot| length | addresses, then TLVs          |
//   +------------+--------+--------+---------+---------------------------//--+
import { BlockList, isIP, isIPv6 } from 'node:net';
import {
  type Address,
  AF_INET,
  AF_INET6,
  type InetAddress,
  inetNtop,
  type Socket,
} from '@sockeye/net';
import { ProxyProtocolError } from '@sockeye/net/server';
import { InvalidArgumentError } from 'commander';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V1_START = Buffer.from('PROXY ');
const V1_MAX_BYTES = 107;
const V2_HEAD_BYTES = 16;
// Addresses take 216 bytes at most; what proxies add in TLVs stays far below this (arbitrary).
const V2_MAX_BYTES = 4096;
const NEWLINE = 0x0a;

/** Who talks to whom; null where the proxy speaks for itself or doesn't say. */
export interface ProxyHeader {
  readonly source: InetAddress | null;
  readonly destination: InetAddress | null;
}

const UNKNOWN: ProxyHeader = { source: null, destination: null };

/**
 * Addresses and networks, such as `127.0.0.1,10.0.0.0/8,::1`.
 *
 * @throws InvalidArgumentError
 */
export function parseNetworks(text: string): BlockList {
  const list = new BlockList();
  for (const part of text.split(',')) {
    const [address = '', bits] = part.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const most = family === 'ipv6' ? 128 : 32;
    const isNumber = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (isIP(address) === 0 || !isNumber) {
      throw new InvalidArgumentError('Expected addresses or networks: 127.0.0.1,10.0.0.0/8.');
    }
    list.addSubnet(address, Number(bits ?? most), family);
  }
  return list;
}

/** Whether an address is in the list; an IPv4 address in IPv6 form counts as what it is. */
export function isListed(list: BlockList, address: Address | null): boolean {
  if (address === null || !('host' in address)) return false;
  const host = address.host.replace(/^::ffff:(?=\d+\.)/, '');
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

interface Source {
  readonly socket: Socket<number>;
}

/**
 * Reads the header, and not a byte behind it.
 *
 * @throws ProxyProtocolError
 */
export async function readProxyHeader({ socket }: Source): Promise<ProxyHeader> {
  const start = await exactly(socket, SIGNATURE.length);
  if (start.equals(SIGNATURE)) return await readBinary(socket);
  if (!start.subarray(0, V1_START.length).equals(V1_START)) {
    throw new ProxyProtocolError('expected "PROXY " or the signature of version 2');
  }
  const line = Buffer.alloc(V1_MAX_BYTES);
  let filled = start.copy(line);
  while (line[filled - 1] !== NEWLINE) {
    if (filled === V1_MAX_BYTES) throw new ProxyProtocolError('no CRLF within 107 bytes');
    // Byte by byte: what follows the line is the session's.
    filled += (await exactly(socket, 1)).copy(line, filled);
  }
  return parseLine(line.toString('latin1', 0, filled));
}

async function exactly(socket: Socket<number>, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  for (let filled = 0; filled < size; ) {
    const count = await socket.recvInto(bytes.subarray(filled));
    if (count === 0) throw new ProxyProtocolError(`the stream ended after ${filled} bytes`);
    filled += count;
  }
  return bytes;
}

function parseLine(line: string): ProxyHeader {
  if (!line.endsWith('\r\n')) throw new ProxyProtocolError('no CRLF within 107 bytes');
  const [, family, from = '', to = '', fromPort = '', toPort = '', ...rest] = line
    .slice(0, -2)
    .split(' ');
  if (family === 'UNKNOWN') return UNKNOWN;
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  const isRight = [from, to].every((host) => version !== 0 && isIP(host) === version);
  const ports = [fromPort, toPort].every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65535);
  if (!isRight || !ports || rest.length > 0) throw new ProxyProtocolError(JSON.stringify(line));
  return {
    source: { host: from, port: Number(fromPort) },
    destination: { host: to, port: Number(toPort) },
  };
}

async function readBinary(socket: Socket<number>): Promise<ProxyHeader> {
  const head = await exactly(socket, V2_HEAD_BYTES - SIGNATURE.length);
  const [command = 0, kind = 0] = head;
  const length = head.readUInt16BE(2);
  if (command >> 4 !== 2) throw new ProxyProtocolError('version is not 2');
  if (length > V2_MAX_BYTES) {
    throw new ProxyProtocolError(`length ${length} exceeds ${V2_MAX_BYTES}`);
  }
  const rest = length === 0 ? Buffer.alloc(0) : await exactly(socket, length);
  if ((command & 0xf) === 0) return UNKNOWN;
  if ((command & 0xf) !== 1) throw new ProxyProtocolError(`command ${command & 0xf}`);
  // 1 is IPv4, 2 IPv6; the transport in the lower half changes nothing here.
  if (kind >> 4 === 1) return binaryAddresses(rest, AF_INET, 4);
  if (kind >> 4 === 2) return binaryAddresses(rest, AF_INET6, 16);
  return UNKNOWN;
}

function binaryAddresses(bytes: Buffer, family: number, size: number): ProxyHeader {
  if (bytes.length < 2 * size + 4) throw new ProxyProtocolError(`${bytes.length} address bytes`);
  const host = (at: number): string => inetNtop(family, bytes.subarray(at, at + size));
  return {
    source: { host: host(0), port: bytes.readUInt16BE(2 * size) },
    destination: { host: host(size), port: bytes.readUInt16BE(2 * size + 2) },
  };
}

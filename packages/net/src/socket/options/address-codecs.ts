import {
  encodeAddressInto,
  type InetAddress,
  inetNtop,
  inetPton,
  MAX_ADDRESS_LENGTH,
} from '../../address/index.ts';
import { AF_INET, AF_INET6 } from '../../constants/index.ts';
import { checkBytes, checkInteger, checkString, invalidType } from '../../errors/index.ts';
import { ifNametoindex } from '../interface-names.ts';
import { i32, u16, u32 } from './native-words.ts';
import type { OptionCodec } from './option-codec.ts';

const MAX_INT = 0x7fffffff;
// struct sockaddr_storage; in the structs here it is aligned as a long.
const STORAGE_BYTES = 128;
const STORAGE_AT = 8;

/** An interface by name or index; 0 or nothing lets the kernel choose. */
export type Interface = string | number;

/** An IPv4 group to join or leave. Source: ip(7), struct ip_mreqn. */
export interface Membership4 {
  readonly group: string;
  /** The interface, or its address; neither lets the routing table choose. */
  readonly interface?: Interface | undefined;
  readonly address?: string | undefined;
}

/** An IPv4 group from one source. Source: ip(7), struct ip_mreq_source. */
export interface SourceMembership4 {
  readonly group: string;
  readonly source: string;
  /** The interface's address; without one the routing table chooses. */
  readonly address?: string | undefined;
}

/** An IPv6 group. Source: ipv6(7), struct ipv6_mreq. */
export interface Membership6 {
  readonly group: string;
  readonly interface?: Interface | undefined;
}

/** A group of either family, from any source or one. Source: RFC 3678, section 5. */
export interface GroupSource {
  readonly group: string;
  readonly source: string;
  readonly interface?: Interface | undefined;
}

function object<Input>(name: string, input: Input): Partial<Record<keyof Input, unknown>> {
  if (typeof input !== 'object' || input === null) throw invalidType(name, 'an object', input);
  return input;
}

function indexOf(name: string, value: unknown): number {
  if (value === undefined || value === '') return 0;
  if (typeof value === 'number') return checkInteger(name, value, 0, MAX_INT);
  return ifNametoindex(checkString(name, value));
}

const ipv4 = (name: string, value: unknown): Buffer =>
  value === undefined ? Buffer.alloc(4) : inetPton(AF_INET, checkString(name, value));

/** How an option that can't be read decodes: not at all. */
const unread = (): never => {
  throw new TypeError('Cannot decode the option: it can only be set');
};

export const membership4: OptionCodec<never, Membership4> = {
  kind: 'struct',
  size: 12,
  decode: unread,
  encode(name, input) {
    const { group, address, interface: by } = object(name, input);
    const bytes = Buffer.alloc(12);
    inetPton(AF_INET, checkString(`${name}.group`, group)).copy(bytes, 0);
    ipv4(`${name}.address`, address).copy(bytes, 4);
    i32.write(bytes, 8, indexOf(`${name}.interface`, by));
    return bytes;
  },
};

export const sourceMembership4: OptionCodec<never, SourceMembership4> = {
  kind: 'struct',
  size: 12,
  decode: unread,
  encode(name, input) {
    const { group, source, address } = object(name, input);
    return Buffer.concat([
      inetPton(AF_INET, checkString(`${name}.group`, group)),
      ipv4(`${name}.address`, address),
      inetPton(AF_INET, checkString(`${name}.source`, source)),
    ]);
  },
};

export const membership6: OptionCodec<never, Membership6> = {
  kind: 'struct',
  size: 20,
  decode: unread,
  encode(name, input) {
    const { group, interface: by } = object(name, input);
    const bytes = Buffer.alloc(20);
    inetPton(AF_INET6, checkString(`${name}.group`, group)).copy(bytes);
    i32.write(bytes, 16, indexOf(`${name}.interface`, by));
    return bytes;
  },
};

/** Which sources of a group that was joined are let in. Source: RFC 3678, section 4.1.3. */
export interface SourceFilter4 {
  readonly group: string;
  /** MCAST_INCLUDE: these alone; MCAST_EXCLUDE: all others. */
  readonly mode: number;
  readonly sources: readonly string[];
  /** The interface's address that the group was joined on. */
  readonly address?: string | undefined;
}

// The default of net.ipv4.igmp_max_msf is 10; the kernel says ENOBUFS above its value.
const MAX_SOURCES = 1024;

/** struct ip_msfilter. */
export const sourceFilter4: OptionCodec<never, SourceFilter4> = {
  kind: 'struct',
  size: 16 + 4 * MAX_SOURCES,
  decode: unread,
  encode(name, input) {
    const { group, mode, sources, address } = object(name, input);
    if (!Array.isArray(sources)) throw invalidType(`${name}.sources`, 'an array', sources);
    const head = Buffer.alloc(16);
    inetPton(AF_INET, checkString(`${name}.group`, group)).copy(head, 0);
    ipv4(`${name}.address`, address).copy(head, 4);
    u32.write(head, 8, checkInteger(`${name}.mode`, mode, 0, 1));
    u32.write(head, 12, checkInteger(`${name}.sources.length`, sources.length, 0, MAX_SOURCES));
    const addresses = sources.map((source: unknown, i) =>
      inetPton(AF_INET, checkString(`${name}.sources[${i}]`, source)),
    );
    return Buffer.concat([head, ...addresses]);
  },
};

/** A key that segments from and to a peer are signed with. Source: RFC 2385, linux/tcp.h. */
export interface TcpMd5Key {
  /** The peer's address. */
  readonly address: string;
  /** At most 80 bytes; none takes the key away. */
  readonly key: Uint8Array;
}

// TCP_MD5SIG_MAXKEYLEN, and where struct tcp_md5sig has what follows the address.
const MAX_MD5_KEY = 80;
const MD5_KEY_LENGTH_AT = 130;
const MD5_KEY_AT = 136;

/** struct tcp_md5sig. */
export const tcpMd5Key: OptionCodec<never, TcpMd5Key> = {
  kind: 'struct',
  size: MD5_KEY_AT + MAX_MD5_KEY,
  decode: unread,
  encode(name, input) {
    const { address, key } = object(name, input);
    const secret = checkBytes(`${name}.key`, key);
    const bytes = Buffer.alloc(MD5_KEY_AT + MAX_MD5_KEY);
    storage(`${name}.address`, address).copy(bytes);
    const length = checkInteger(`${name}.key.length`, secret.length, 0, MAX_MD5_KEY);
    u16.write(bytes, MD5_KEY_LENGTH_AT, length);
    bytes.set(secret, MD5_KEY_AT);
    return bytes;
  },
};

function storage(name: string, value: unknown): Buffer {
  const host = checkString(name, value);
  const bytes = Buffer.alloc(Math.max(STORAGE_BYTES, MAX_ADDRESS_LENGTH));
  encodeAddressInto(host.includes(':') ? AF_INET6 : AF_INET, 0, { host, port: 0 }, bytes);
  return bytes.subarray(0, STORAGE_BYTES);
}

function groupHead(name: string, by: unknown): Buffer {
  const bytes = Buffer.alloc(STORAGE_AT);
  u32.write(bytes, 0, indexOf(`${name}.interface`, by));
  return bytes;
}

/** struct group_req. */
export const groupMembership: OptionCodec<never, Membership6> = {
  kind: 'struct',
  size: STORAGE_AT + STORAGE_BYTES,
  decode: unread,
  encode(name, input) {
    const { group, interface: by } = object(name, input);
    return Buffer.concat([groupHead(name, by), storage(`${name}.group`, group)]);
  },
};

/** struct group_source_req. */
export const groupSource: OptionCodec<never, GroupSource> = {
  kind: 'struct',
  size: STORAGE_AT + 2 * STORAGE_BYTES,
  decode: unread,
  encode(name, input) {
    const { group, source, interface: by } = object(name, input);
    return Buffer.concat([
      groupHead(name, by),
      storage(`${name}.group`, group),
      storage(`${name}.source`, source),
    ]);
  },
};

/** Where IPv4 multicast leaves: read as an address, set by an address or an interface. */
export const multicastInterface4: OptionCodec<
  string,
  string | { readonly address?: string | undefined; readonly interface?: Interface | undefined }
> = {
  kind: 'struct',
  size: 4,
  decode: (bytes) => inetNtop(AF_INET, bytes.subarray(0, 4)),
  encode(name, input) {
    if (typeof input === 'string') return inetPton(AF_INET, input);
    const { address, interface: by } = object(name, input) as Record<string, unknown>;
    const bytes = Buffer.alloc(12);
    ipv4(`${name}.address`, address).copy(bytes, 4);
    i32.write(bytes, 8, indexOf(`${name}.interface`, by));
    return bytes;
  },
};

/** An interface's index; set by name, too. */
export const interfaceNumber: OptionCodec<number, Interface> = {
  kind: 'integer',
  size: 4,
  decode: (bytes) => i32.read(bytes, 0),
  encode(name, input) {
    const bytes = Buffer.alloc(4);
    i32.write(bytes, 0, indexOf(name, input));
    return bytes;
  },
};

/** The same in network order, as IP_UNICAST_IF and IPV6_UNICAST_IF have it. */
export const interfaceInNetworkOrder: OptionCodec<number, Interface> = {
  ...interfaceNumber,
  decode: (bytes) => bytes.readUInt32BE(0),
  encode(name, input) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(indexOf(name, input));
    return bytes;
  },
};

/** A struct sockaddr_in. */
export const inetAddress: OptionCodec<InetAddress, never> = {
  kind: 'struct',
  size: 16,
  decode: (bytes) => ({
    host: inetNtop(AF_INET, bytes.subarray(4, 8)),
    port: bytes.readUInt16BE(2),
  }),
  encode: unread,
};

/** A path's MTU, as the last ICMPv6 told. Source: RFC 3542, section 11.4, struct ip6_mtuinfo. */
export const pathMtu: OptionCodec<{ readonly host: string; readonly mtu: number }, never> = {
  kind: 'struct',
  size: 32,
  decode: (bytes) => ({
    host: inetNtop(AF_INET6, bytes.subarray(8, 24)),
    mtu: u32.read(bytes, 28),
  }),
  encode: unread,
};

/** A packet socket's membership. Source: packet(7), struct packet_mreq. */
export interface PacketMembership {
  readonly interface: Interface;
  /** PACKET_MR_PROMISC, PACKET_MR_MULTICAST, … */
  readonly type: number;
  /** The hardware address of a group or station, at most 8 bytes. */
  readonly address?: Uint8Array | undefined;
}

export const packetMembership: OptionCodec<never, PacketMembership> = {
  kind: 'struct',
  size: 16,
  decode: unread,
  encode(name, input) {
    const { interface: by, type, address } = object(name, input);
    const station =
      address === undefined ? Buffer.alloc(0) : checkBytes(`${name}.address`, address);
    const bytes = Buffer.alloc(16);
    i32.write(bytes, 0, indexOf(`${name}.interface`, by));
    u16.write(bytes, 4, checkInteger(`${name}.type`, type, 0, 0xffff));
    u16.write(bytes, 6, checkInteger(`${name}.address.length`, station.length, 0, 8));
    bytes.set(station, 8);
    return bytes;
  },
};

import { internetChecksum } from '../checksum/internet-checksum.ts';
import { ByteWriter } from './byte-writer.ts';
import { ipAddressBytes, type IpAddressLike } from './ip-address-bytes.ts';

/** What an IP header of either version says; the version follows from the addresses. */
export interface IpPacket {
  readonly source: IpAddressLike;
  readonly destination: IpAddressLike;
  /** Protocol, or next header. */
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Time to live, or hop limit; default 64. */
  readonly ttl?: number;
  /** DSCP and ECN; default 0. */
  readonly trafficClass?: number;
  /** IPv4 only: identification; default 0. */
  readonly identification?: number;
  /** IPv4 only: the 16 bits of flags and fragment offset; default 0x4000, don't fragment. */
  readonly fragment?: number;
  /** IPv4 only: options, padded to 32 bits. */
  readonly options?: ArrayLike<number>;
  /** IPv6 only; default 0. */
  readonly flowLabel?: number;
}

/**
 * Builds an IPv4 or IPv6 packet with valid lengths and header checksum.
 *
 * @throws RangeError when an address is none, the two differ in version, or the packet exceeds 65535 bytes
 *
 * @example
 * ```ts
 * const packet = ipPacket({ source: '::1', destination: '::1', protocol: 59, payload: new Uint8Array(0) });
 * assert.equal(packet.length, 40);
 * ```
 */
export function ipPacket(packet: IpPacket): Uint8Array {
  const source = ipAddressBytes(packet.source);
  const destination = ipAddressBytes(packet.destination);
  if (source.length !== destination.length) {
    throw new RangeError('Cannot build packet: source and destination differ in IP version');
  }
  return source.length === 4
    ? ipv4Packet(packet, source, destination)
    : ipv6Packet(packet, source, destination);
}

function checkLength(length: number): void {
  if (length > 0xffff) {
    throw new RangeError(`Cannot build packet: length ${length} exceeds 65535`);
  }
}

function ipv4Packet(packet: IpPacket, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const { options = [], payload } = packet;
  const headerLength = 20 + ((options.length + 3) & ~3);
  checkLength(headerLength + payload.length);
  const bytes = new ByteWriter()
    .u8(0x40 | (headerLength / 4))
    .u8(packet.trafficClass ?? 0)
    .u16(headerLength + payload.length)
    .u16(packet.identification ?? 0)
    .u16(packet.fragment ?? 0x4000)
    .u8(packet.ttl ?? 64)
    .u8(packet.protocol)
    .u16(0)
    .bytes(source)
    .bytes(destination)
    .bytes(options)
    .zeros(headerLength - 20 - options.length)
    .bytes(payload)
    .finish();
  new DataView(bytes.buffer).setUint16(10, internetChecksum(bytes, 0, headerLength));
  return bytes;
}

function ipv6Packet(packet: IpPacket, source: Uint8Array, destination: Uint8Array): Uint8Array {
  checkLength(packet.payload.length);
  return new ByteWriter()
    .u32(0x60000000 | ((packet.trafficClass ?? 0) << 20) | (packet.flowLabel ?? 0))
    .u16(packet.payload.length)
    .u8(packet.protocol)
    .u8(packet.ttl ?? 64)
    .bytes(source)
    .bytes(destination)
    .bytes(packet.payload)
    .finish();
}

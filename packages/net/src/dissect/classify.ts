import { etherType } from './layers/ether-type.ts';
import { ipProtocol } from './layers/ip-protocol.ts';
import { linkType } from './layers/link-type.ts';

/**
 * What the fast path says about a packet: numbers and offsets only, in one object that the caller
 * reuses. The addresses stay in the packet, at `sourceAt` and `destinationAt`, `addressLength` long.
 */
export class PacketClass {
  /** IP protocol of the payload: 6 TCP, 17 UDP, others; -1 when the packet is no IP. */
  protocol = -1;
  /** EtherType of the network layer, -1 when there is none. */
  etherType = -1;
  /** Offset of the IP header. */
  networkAt = 0;
  sourceAt = 0;
  destinationAt = 0;
  /** 4, 16, or 0 when the packet is no IP. */
  addressLength = 0;
  /** A fragment other than the first has no ports. */
  isFragment = false;
  sourcePort = -1;
  destinationPort = -1;
  /** Offset of the transport header, -1 when there is none. */
  transportAt = -1;
  /** TCP only: the 12 bits, `tcpFlag`. */
  flags = 0;
  sequence = 0;
  acknowledgment = 0;
  /** TCP only: unscaled. */
  window = 0;
  payloadAt = 0;
  /** Bytes of payload in the capture. */
  payloadLength = 0;
  /** Bytes of payload on the wire, by the length fields. */
  wirePayloadLength = 0;

  reset(): void {
    this.protocol = -1;
    this.etherType = -1;
    this.addressLength = 0;
    this.isFragment = false;
    this.sourcePort = -1;
    this.destinationPort = -1;
    this.transportAt = -1;
    this.flags = 0;
    this.payloadLength = 0;
    this.wirePayloadLength = 0;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

// 802.1ad allows two tags; more are stacked by switches. Arbitrary bound.
const maxVlanTags = 4;
// Extension headers of one packet; RFC 8200 4.1 lists eight. Arbitrary bound above it.
const maxExtensionHeaders = 16;

/**
 * The fast path: finds network and transport headers of the packet `bytes[start, end)` without
 * making an object per layer or field, and fills `out`.
 *
 * True when TCP, UDP or another IP payload was found whole enough to read its header; false
 * otherwise, with `out` telling how far it came. Never throws, verifies no checksum.
 *
 * @example
 * ```ts
 * const found = new PacketClass();
 * assert.equal(classify(new Uint8Array(3), 1, found), false);
 * ```
 */
export function classify(
  bytes: Uint8Array,
  link: number,
  out: PacketClass,
  start = 0,
  end = bytes.length,
): boolean {
  out.reset();
  const networkAt = network(bytes, link, out, start, end);
  out.networkAt = networkAt;
  if (networkAt < 0) return false;
  if (out.etherType === etherType.ipv4) return ipv4(bytes, out, networkAt, end);
  if (out.etherType === etherType.ipv6) return ipv6(bytes, out, networkAt, end);
  return false;
}

/** Offset of the network header, -1 when there is none; sets `etherType`. */
function network(
  bytes: Uint8Array,
  link: number,
  out: PacketClass,
  start: number,
  end: number,
): number {
  switch (link) {
    case linkType.ethernet:
      return typed(bytes, out, start + 12, start + 14, end);
    case linkType.linuxSll:
      return typed(bytes, out, start + 14, start + 16, end);
    case linkType.linuxSll2:
      return typed(bytes, out, start, start + 20, end);
    case linkType.null:
    case linkType.loop:
      return versioned(bytes, out, start + 4, end);
    default:
      return versioned(bytes, out, start, end);
  }
}

/** The type is at `typeAt` and the payload at `payloadAt`; VLAN tags push both on. */
function typed(
  bytes: Uint8Array,
  out: PacketClass,
  typeAt: number,
  payloadAt: number,
  end: number,
): number {
  if (payloadAt > end) return -1;
  let type = u16(bytes, typeAt);
  let at = payloadAt;
  for (let tags = 0; isVlan(type) && tags < maxVlanTags; tags++) {
    if (at + 4 > end) return -1;
    type = u16(bytes, at + 2);
    at += 4;
  }
  out.etherType = type;
  return at;
}

function isVlan(type: number): boolean {
  return (
    type === etherType.vlan || type === etherType.serviceVlan || type === etherType.oldServiceVlan
  );
}

/** No type: the first four bits say which IP it is. */
function versioned(bytes: Uint8Array, out: PacketClass, at: number, end: number): number {
  if (at >= end) return -1;
  const version = bytes[at]! >> 4;
  out.etherType = version === 4 ? etherType.ipv4 : version === 6 ? etherType.ipv6 : -1;
  return at;
}

function ipv4(bytes: Uint8Array, out: PacketClass, at: number, end: number): boolean {
  if (at + 20 > end) return false;
  const headerLength = (bytes[at]! & 15) * 4;
  if (bytes[at]! >> 4 !== 4 || headerLength < 20 || at + headerLength > end) return false;
  out.sourceAt = at + 12;
  out.destinationAt = at + 16;
  out.addressLength = 4;
  const totalLength = u16(bytes, at + 2);
  // 0 is what segmentation offload leaves.
  const wireEnd = totalLength === 0 ? end : at + totalLength;
  out.isFragment = (u16(bytes, at + 6) & 0x1fff) !== 0;
  return transport(bytes, out, bytes[at + 9]!, at + headerLength, end, wireEnd);
}

function ipv6(bytes: Uint8Array, out: PacketClass, at: number, end: number): boolean {
  if (at + 40 > end || bytes[at]! >> 4 !== 6) return false;
  out.sourceAt = at + 8;
  out.destinationAt = at + 24;
  out.addressLength = 16;
  const length = u16(bytes, at + 4);
  const wireEnd = length === 0 ? end : at + 40 + length;
  let next = bytes[at + 6]!;
  let headerAt = at + 40;
  for (let headers = 0; headers < maxExtensionHeaders; headers++) {
    const headerLength = extensionLength(bytes, next, headerAt, end);
    if (headerLength === 0) return transport(bytes, out, next, headerAt, end, wireEnd);
    if (headerLength < 0) return false;
    if (next === ipProtocol.fragment && u16(bytes, headerAt + 2) >> 3 !== 0) out.isFragment = true;
    next = bytes[headerAt]!;
    headerAt += headerLength;
    if (out.isFragment) return transport(bytes, out, next, headerAt, end, wireEnd);
  }
  return false;
}

/** Bytes of the extension header, 0 when it is none, -1 when it is cut. */
function extensionLength(bytes: Uint8Array, next: number, at: number, end: number): number {
  switch (next) {
    case ipProtocol.hopByHop:
    case ipProtocol.routing:
    case ipProtocol.destination:
    case ipProtocol.mobility:
      return at + 8 > end ? -1 : (bytes[at + 1]! + 1) * 8;
    case ipProtocol.fragment:
      return at + 8 > end ? -1 : 8;
    case ipProtocol.ah:
      return at + 8 > end ? -1 : (bytes[at + 1]! + 2) * 4;
    default:
      return 0;
  }
}

function transport(
  bytes: Uint8Array,
  out: PacketClass,
  protocol: number,
  at: number,
  captureEnd: number,
  wireEnd: number,
): boolean {
  const end = Math.min(captureEnd, wireEnd);
  if (at > end) return false;
  out.protocol = protocol;
  if (out.isFragment) return payload(out, at, end, wireEnd);
  out.transportAt = at;
  if (protocol === ipProtocol.tcp) return tcp(bytes, out, at, end, wireEnd);
  if (protocol === ipProtocol.udp) return udp(bytes, out, at, end, wireEnd);
  return payload(out, at, end, wireEnd);
}

function payload(out: PacketClass, at: number, end: number, wireEnd: number): boolean {
  out.payloadAt = at;
  out.payloadLength = end - at;
  out.wirePayloadLength = wireEnd - at;
  return true;
}

function tcp(
  bytes: Uint8Array,
  out: PacketClass,
  at: number,
  end: number,
  wireEnd: number,
): boolean {
  if (at + 20 > end) return false;
  const headerLength = (bytes[at + 12]! >> 4) * 4;
  if (headerLength < 20 || at + headerLength > wireEnd) return false;
  out.sourcePort = u16(bytes, at);
  out.destinationPort = u16(bytes, at + 2);
  out.sequence = u32(bytes, at + 4);
  out.acknowledgment = u32(bytes, at + 8);
  out.flags = u16(bytes, at + 12) & 0x0fff;
  out.window = u16(bytes, at + 14);
  return payload(out, at + headerLength, Math.max(end, at + headerLength), wireEnd);
}

function udp(
  bytes: Uint8Array,
  out: PacketClass,
  at: number,
  end: number,
  wireEnd: number,
): boolean {
  if (at + 8 > end) return false;
  out.sourcePort = u16(bytes, at);
  out.destinationPort = u16(bytes, at + 2);
  const length = u16(bytes, at + 4);
  const datagramEnd = length < 8 ? wireEnd : Math.min(wireEnd, at + length);
  return payload(out, at + 8, Math.min(end, datagramEnd), datagramEnd);
}

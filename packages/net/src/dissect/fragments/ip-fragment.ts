import { ipProtocol } from '../layers/ip-protocol.ts';

/** One fragment of an IP packet. */
export interface IpFragment {
  /** Same for all fragments of a packet: addresses, identification, protocol. */
  readonly key: string;
  /** Offset of its bytes in the packet's payload. */
  readonly offset: number;
  readonly isLast: boolean;
  /** A view of the payload. */
  readonly bytes: Uint8Array;
  /** The header of the packet as it was before it was cut, its length and checksum still to be set. */
  readonly header: Uint8Array;
}

// RFC 8200 4.1: what may stand before a fragment header. Arbitrary bound.
const maxHeadersBefore = 8;
const latin1 = new TextDecoder('latin1');

/** The fragment in an IPv4 packet at `at`, undefined when it is none or is cut. */
export function ipv4Fragment(bytes: Uint8Array, at: number, end: number): IpFragment | undefined {
  if (at + 20 > end) return undefined;
  const headerLength = (bytes[at]! & 15) * 4;
  const packetEnd = at + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  const word = (bytes[at + 6]! << 8) | bytes[at + 7]!;
  if ((word & 0x3fff) === 0 || headerLength < 20) return undefined;
  if (packetEnd > end || at + headerLength >= packetEnd) return undefined;
  const identity = [...bytes.subarray(at + 4, at + 6), ...bytes.subarray(at + 12, at + 20)];
  return {
    key: latin1.decode(Uint8Array.of(4, bytes[at + 9]!, ...identity)),
    offset: (word & 0x1fff) * 8,
    isLast: (word & 0x2000) === 0,
    bytes: bytes.subarray(at + headerLength, packetEnd),
    header: copyOf(bytes, at, at + headerLength),
  };
}

/** The fragment in an IPv6 packet at `at`, undefined when it is none or is cut. */
export function ipv6Fragment(bytes: Uint8Array, at: number, end: number): IpFragment | undefined {
  if (at + 40 > end) return undefined;
  const packetEnd = at + 40 + ((bytes[at + 4]! << 8) | bytes[at + 5]!);
  if (packetEnd > end) return undefined;
  let nextAt = at + 6;
  let headerAt = at + 40;
  for (let headers = 0; headers < maxHeadersBefore; headers++) {
    if (headerAt + 8 > packetEnd) return undefined;
    const next = bytes[nextAt]!;
    if (next === ipProtocol.fragment)
      return ipv6FragmentAt(bytes, { at, nextAt, headerAt, packetEnd });
    if (!mayStandBefore(next)) return undefined;
    nextAt = headerAt;
    headerAt += (bytes[headerAt + 1]! + 1) * 8;
  }
  return undefined;
}

function mayStandBefore(next: number): boolean {
  return (
    next === ipProtocol.hopByHop || next === ipProtocol.routing || next === ipProtocol.destination
  );
}

interface FragmentPlace {
  readonly at: number;
  readonly nextAt: number;
  readonly headerAt: number;
  readonly packetEnd: number;
}

function ipv6FragmentAt(bytes: Uint8Array, place: FragmentPlace): IpFragment | undefined {
  const { at, nextAt, headerAt, packetEnd } = place;
  const word = (bytes[headerAt + 2]! << 8) | bytes[headerAt + 3]!;
  // Offset 0 without more is an atomic fragment (RFC 6946), a packet of its own.
  if ((word & 0xfff9) === 0 || headerAt + 8 >= packetEnd) return undefined;
  const header = copyOf(bytes, at, headerAt);
  header[nextAt - at] = bytes[headerAt]!;
  const identity = [
    ...bytes.subarray(headerAt + 4, headerAt + 8),
    ...bytes.subarray(at + 8, at + 40),
  ];
  return {
    key: latin1.decode(Uint8Array.of(6, ...identity)),
    offset: word & 0xfff8,
    isLast: (word & 1) === 0,
    bytes: bytes.subarray(headerAt + 8, packetEnd),
    header,
  };
}

/** Not slice(), which gives a view of a Buffer: a header that is mended must not change the packet. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

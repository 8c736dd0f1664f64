import type { PacketClass } from '../classify.ts';

/** What the ends agree on in their SYNs; -1 where an option is missing. */
export interface HandshakeOptions {
  readonly windowShift: number;
  readonly maximumSegment: number;
}

const windowScaleKind = 3;
const maximumSegmentKind = 2;

/** Reads the options of a SYN that `classify()` found; a wrong length ends them. */
export function handshakeOptions(bytes: Uint8Array, found: PacketClass): HandshakeOptions {
  let windowShift = -1;
  let maximumSegment = -1;
  const end = Math.min(bytes.length, found.payloadAt);
  let at = found.transportAt + 20;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === 0) break;
    const length = kind === 1 ? 1 : (bytes[at + 1] ?? 0);
    if (length === 0 || (kind !== 1 && length < 2) || at + length > end) break;
    if (kind === windowScaleKind && length === 3) windowShift = bytes[at + 2]!;
    if (kind === maximumSegmentKind && length === 4) {
      maximumSegment = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    at += length;
  }
  return { windowShift, maximumSegment };
}

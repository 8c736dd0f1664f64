import { FrameMalformedError } from './protocol-error.ts';

/** How a length is written in front of a frame. */
export interface LengthField {
  /** The largest length it can say. */
  readonly largest: number;
  /** Bytes of the field that starts at bytes[at]; 0 if it isn't whole before `end`. */
  size(bytes: Buffer, at: number, end: number): number;
  /** The length in the field that starts at bytes[at] and is whole; rounded above 2⁵³. */
  read(bytes: Buffer, at: number): number;
  /** Bytes of the field that says `length`. */
  width(length: number): number;
  /** Writes the field to bytes[at, …). */
  write(bytes: Buffer, length: number, at: number): void;
  /** The length of `bodyBytes` bytes together with the field that says so. */
  including(bodyBytes: number): number;
}

/** The field of that size and byte order. @throws RangeError when there is no such field */
export function lengthField(
  bytes: 1 | 2 | 4 | 8 | 'varint',
  endian: 'big' | 'little',
): LengthField {
  if (endian !== 'big' && endian !== 'little') {
    throw new RangeError(
      `Cannot create codec: endian ${String(endian)}, 'big' or 'little' is needed`,
    );
  }
  if (bytes === 'varint') return varint;
  if (!Object.hasOwn(integers[endian], bytes)) {
    throw new RangeError(
      `Cannot create codec: bytes ${String(bytes)}, 1, 2, 4, 8 or 'varint' is needed`,
    );
  }
  return fixedField(bytes, integers[endian][bytes]);
}

interface Integer {
  readonly read: (bytes: Buffer, at: number) => number;
  readonly write: (bytes: Buffer, value: number, at: number) => void;
}

const HIGH = 2 ** 32;

// By index instead of by readUInt32BE() and its like: that saves their checks, 20 of 70 ns a frame.
/* oxlint-disable typescript/no-non-null-assertion -- size() has seen to it that they exist */
const u16be = (b: Buffer, at: number) => (b[at]! << 8) | b[at + 1]!;
const u16le = (b: Buffer, at: number) => b[at]! | (b[at + 1]! << 8);
const u32be = (b: Buffer, at: number) => u16be(b, at) * 0x1_0000 + u16be(b, at + 2);
const u32le = (b: Buffer, at: number) => u16le(b, at) + u16le(b, at + 2) * 0x1_0000;
const u8: Integer = { read: (b, at) => b[at]!, write: (b, value, at) => b.writeUInt8(value, at) };
function writeU32be(b: Buffer, value: number, at: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}
function writeU32le(b: Buffer, value: number, at: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
  b[at + 2] = value >>> 16;
  b[at + 3] = value >>> 24;
}
/* oxlint-enable typescript/no-non-null-assertion */

const integers: Record<'big' | 'little', Record<1 | 2 | 4 | 8, Integer>> = {
  big: {
    1: u8,
    2: { read: u16be, write: (b, value, at) => b.writeUInt16BE(value, at) },
    4: { read: u32be, write: writeU32be },
    8: {
      read: (b, at) => u32be(b, at) * HIGH + u32be(b, at + 4),
      write(b, value, at) {
        b.writeUInt32BE(Math.floor(value / HIGH), at);
        b.writeUInt32BE(value % HIGH, at + 4);
      },
    },
  },
  little: {
    1: u8,
    2: { read: u16le, write: (b, value, at) => b.writeUInt16LE(value, at) },
    4: { read: u32le, write: writeU32le },
    8: {
      read: (b, at) => u32le(b, at) + u32le(b, at + 4) * HIGH,
      write(b, value, at) {
        b.writeUInt32LE(value % HIGH, at);
        b.writeUInt32LE(Math.floor(value / HIGH), at + 4);
      },
    },
  },
};

function fixedField(width: number, integer: Integer): LengthField {
  return {
    // Of 8 bytes JavaScript numbers are exact up to 2⁵³ − 1, far above the longest Buffer.
    largest: Math.min(256 ** width - 1, Number.MAX_SAFE_INTEGER),
    size: (_bytes, at, end) => (end - at < width ? 0 : width),
    read: integer.read,
    width: () => width,
    write: integer.write,
    including: (bodyBytes) => bodyBytes + width,
  };
}

/** 64 bits in groups of 7, as in Protocol Buffers. */
const VARINT_MAX_BYTES = 10;

/**
 * Unsigned LEB128, low group first, the top bit of each byte saying that another follows.
 * Only the shortest form is accepted (multiformats unsigned-varint demands it, Protocol Buffers
 * writes nothing else), so that a length has one encoding.
 */
const varint: LengthField = {
  largest: Number.MAX_SAFE_INTEGER,
  size(bytes, at, end) {
    for (let next = at; next < end; next++) {
      const byte = bytes[next] ?? 0;
      if (byte === 0 && next > at) {
        throw new FrameMalformedError('decode', 'a varint length is not in its shortest form');
      }
      if (byte < 0x80) return next - at + 1;
      if (next - at + 1 === VARINT_MAX_BYTES) {
        const state = `a varint length is longer than ${VARINT_MAX_BYTES} bytes`;
        throw new FrameMalformedError('decode', state);
      }
    }
    return 0;
  },
  read(bytes, at) {
    let value = 0;
    let scale = 1;
    for (let next = at; ; next++) {
      const byte = bytes[next] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  },
  width: varintBytes,
  write(bytes, length, at) {
    let rest = length;
    let next = at;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) + 0x80;
    bytes[next] = rest;
  },
  including(bodyBytes) {
    // The field may grow by a byte for counting itself, and never by two.
    const total = bodyBytes + varintBytes(bodyBytes);
    return bodyBytes + varintBytes(total);
  },
};

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

import { endianness } from 'node:os';

// The kernel's structs are in the machine's byte order.
const LITTLE = endianness() === 'LE';

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A field of a struct: how long it is, and how a value goes in and out. */
export interface Word<Value> {
  readonly size: 1 | 2 | 4 | 8;
  read(bytes: Uint8Array, at: number): Value;
  write(bytes: Uint8Array, at: number, value: Value): void;
  /** The smallest and the largest value; undefined where it isn't a number. */
  readonly range?: readonly [number, number];
}

const number = (
  size: Word<number>['size'],
  range: readonly [number, number],
  read: Word<number>['read'],
  write: Word<number>['write'],
): Word<number> => ({ size, range, read, write });

export const u8 = number(
  1,
  [0, 0xff],
  (bytes, at) => view(bytes).getUint8(at),
  (bytes, at, value) => view(bytes).setUint8(at, value),
);
export const u16 = number(
  2,
  [0, 0xffff],
  (bytes, at) => view(bytes).getUint16(at, LITTLE),
  (bytes, at, value) => view(bytes).setUint16(at, value, LITTLE),
);
export const u32 = number(
  4,
  [0, 0xffffffff],
  (bytes, at) => view(bytes).getUint32(at, LITTLE),
  (bytes, at, value) => view(bytes).setUint32(at, value, LITTLE),
);
export const i32 = number(
  4,
  [-0x80000000, 0x7fffffff],
  (bytes, at) => view(bytes).getInt32(at, LITTLE),
  (bytes, at, value) => view(bytes).setInt32(at, value, LITTLE),
);

const ALL_ONES = 2n ** 64n - 1n;

/** A 64-bit count as a number: exact up to 2^53, all ones (the kernel's "no limit") is Infinity. */
export const count64 = number(
  8,
  [0, Number.POSITIVE_INFINITY],
  (bytes, at) => {
    const value = view(bytes).getBigUint64(at, LITTLE);
    return value === ALL_ONES ? Number.POSITIVE_INFINITY : Number(value);
  },
  (bytes, at, value) =>
    view(bytes).setBigUint64(at, Number.isFinite(value) ? BigInt(value) : ALL_ONES, LITTLE),
);

/** A 64-bit number of which every bit counts. */
export const u64: Word<bigint> = {
  size: 8,
  read: (bytes, at) => view(bytes).getBigUint64(at, LITTLE),
  write: (bytes, at, value) => view(bytes).setBigUint64(at, value, LITTLE),
};

/** An int that is true or false. */
export const flag32: Word<boolean> = {
  size: 4,
  read: (bytes, at) => i32.read(bytes, at) !== 0,
  write: (bytes, at, value) => i32.write(bytes, at, value ? 1 : 0),
};

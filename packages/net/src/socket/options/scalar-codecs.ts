import {
  checkBoolean,
  checkBytes,
  checkInteger,
  checkString,
  invalidType,
  outOfRange,
} from '../../errors/index.ts';
import { count64, i32, u32, u64 } from './native-words.ts';
import type { OptionCodec, OptionUnit } from './option-codec.ts';

const MAX_INT = 0x7fffffff;

/** true and false; also for options that the kernel gives in a single byte. */
export const boolean: OptionCodec<boolean> = {
  kind: 'boolean',
  size: 4,
  decode: (bytes) => bytes.some((byte) => byte !== 0),
  encode: (name, input) => int(checkBoolean(name, input) ? 1 : 0),
};

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  i32.write(bytes, 0, value);
  return bytes;
}

/** An int from `low` to `high`. */
export function integer(
  unit?: OptionUnit,
  low: number = -MAX_INT - 1,
  high: number = MAX_INT,
): OptionCodec<number> {
  return {
    kind: unit === 's' || unit === 'ms' || unit === 'µs' || unit === 'ns' ? 'duration' : 'integer',
    unit,
    size: 4,
    decode: (bytes) => (bytes.length < 4 ? (bytes[0] ?? 0) : i32.read(bytes, 0)),
    encode: (name, input) => int(checkInteger(name, input, low, high)),
  };
}

/** An unsigned int. */
export function unsigned(unit?: OptionUnit, high: number = 0xffffffff): OptionCodec<number> {
  const signed = integer(unit);
  return {
    ...signed,
    decode: (bytes) => u32.read(bytes, 0),
    encode: (name, input) => int(checkInteger(name, input, 0, high) | 0),
  };
}

/** A 64-bit count as a number; Infinity is the kernel's "no limit". */
export function count(unit: OptionUnit): OptionCodec<number> {
  return {
    kind: 'integer',
    unit,
    size: 8,
    // Kernels before 4.20 know SO_MAX_PACING_RATE as an int only.
    decode: (bytes) => (bytes.length < 8 ? u32.read(bytes, 0) : count64.read(bytes, 0)),
    encode(name, input) {
      const bytes = Buffer.alloc(8);
      const finite = input !== Number.POSITIVE_INFINITY;
      if (finite) checkInteger(name, input, 0, Number.MAX_SAFE_INTEGER);
      count64.write(bytes, 0, input);
      return bytes;
    },
  };
}

/** A 64-bit identifier. */
export const identifier: OptionCodec<bigint> = {
  kind: 'bigint',
  size: 8,
  decode: (bytes) => u64.read(bytes, 0),
  encode(name, input) {
    if (typeof input !== 'bigint') throw invalidType(name, 'a bigint', input);
    const bytes = Buffer.alloc(8);
    u64.write(bytes, 0, input);
    return bytes;
  },
};

const MICROSECONDS = 1e6;

/** A struct timeval as seconds, exact to the microsecond. */
export const timeval: OptionCodec<number> = {
  kind: 'duration',
  unit: 's',
  size: 16,
  decode: (bytes) =>
    bytes.length < 16
      ? i32.read(bytes, 0) + i32.read(bytes, 4) / MICROSECONDS
      : count64.read(bytes, 0) + count64.read(bytes, 8) / MICROSECONDS,
  encode(name, input) {
    if (typeof input !== 'number') throw invalidType(name, 'a number', input);
    if (!(input >= 0 && input <= MAX_INT)) throw outOfRange(name, `in 0…${MAX_INT} s`, input);
    const whole = Math.floor(input);
    // Rounded up: 0 would mean no timeout at all.
    const micros = Math.min(Math.ceil((input - whole) * MICROSECONDS), MICROSECONDS - 1);
    const bytes = Buffer.alloc(16);
    count64.write(bytes, 0, whole);
    count64.write(bytes, 8, micros);
    return bytes;
  },
};

/** Text, at most `size` bytes with its end. */
export function text(size: number): OptionCodec<string> {
  return {
    kind: 'string',
    size,
    decode: (bytes) => bytes.toString('utf8').replace(/\0.*$/s, ''),
    encode(name, input) {
      const bytes = Buffer.from(checkString(name, input));
      if (bytes.length >= size || bytes.includes(0))
        throw outOfRange(name, `at most ${size - 1} bytes without a NUL`, input);
      return bytes;
    },
  };
}

/** Bytes as the kernel has them. */
export function binary(size: number): OptionCodec<Buffer, Uint8Array> {
  return {
    kind: 'bytes',
    size,
    decode: (value) => value,
    encode: (name, input) => checkBytes(name, input),
  };
}

/** An option that acts when it is set, to null. */
export const action: OptionCodec<null> = {
  kind: 'struct',
  size: 4,
  decode: () => null,
  encode(name, input) {
    if (input !== null) throw invalidType(name, 'null', input);
    // setsockopt(2) at SOL_SOCKET wants room for an int even where it reads none.
    return int(0);
  },
};

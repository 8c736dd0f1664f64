import { native } from '@sockeye/native';
import {
  AF_VSOCK,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
} from '../constants/index.ts';
import { checkBytes, checkInteger, invalidType } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';

// CPython refuses larger ones too; no option of the kernel is longer.
const MAX_OPTION_BYTES = 1024;
const MAX_INT = 0x7fffffff;
// linux/vm_sockets.h: these are unsigned 64-bit; with an int they fail.
const WIDE_VSOCK_OPTIONS: ReadonlySet<unknown> = new Set([
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
]);
const wide = new BigUint64Array(1);
const wideBytes = new Uint8Array(wide.buffer);
const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

const checkNumber = (name: string, value: unknown): number =>
  checkInteger(name, value, -0x80000000, MAX_INT);

const isWide = (level: number, name: number): boolean =>
  level === AF_VSOCK && WIDE_VSOCK_OPTIONS.has(name);

/** An option's value as an int. Source: getsockopt(2). */
export function getIntOption(descriptor: Descriptor, level: number, name: number): number {
  if (isWide(level, name)) {
    const status = native.getsockopt(descriptor.fd, level, name, wideBytes);
    if (status < 0) throw descriptor.error('getsockopt', -status, { option: name });
    return Number(wide[0]);
  }
  const status = native.getsockopt(
    descriptor.fd,
    checkNumber('level', level),
    checkNumber('name', name),
    wordBytes,
  );
  if (status < 0) throw descriptor.error('getsockopt', -status, { option: name });
  // A few options are one byte long (IP_MULTICAST_TTL on some systems); the rest of the word is old.
  return status === 1 ? (wordBytes[0] as number) : (word[0] as number);
}

/** An option's bytes, at most `size` of them. Source: getsockopt(2). */
export function getBytesOption(
  descriptor: Descriptor,
  level: number,
  name: number,
  size: number,
): Buffer {
  const value = Buffer.alloc(checkInteger('size', size, 1, MAX_OPTION_BYTES));
  const status = native.getsockopt(
    descriptor.fd,
    checkNumber('level', level),
    checkNumber('name', name),
    value,
  );
  if (status < 0) throw descriptor.error('getsockopt', -status, { option: name });
  return value.subarray(0, status);
}

/**
 * Sets an option: a number or boolean as an int, bytes as they are, or null with `size` for the
 * options that take a length and no pointer. Source: setsockopt(2).
 */
export function setOption(
  descriptor: Descriptor,
  level: number,
  name: number,
  value: number | boolean | Uint8Array | null,
  size?: number,
): void {
  checkNumber('level', level);
  checkNumber('name', name);
  const [bytes, length] =
    isWide(level, name) && typeof value === 'number' && size === undefined
      ? wideOption(value)
      : optionBytes(value, size);
  descriptor.noteOption();
  const status = native.setsockopt(descriptor.fd, level, name, bytes, length);
  if (status < 0) throw descriptor.error('setsockopt', -status, { option: name });
}

function wideOption(value: number): [Uint8Array, number] {
  wide[0] = BigInt(checkInteger('value', value, 0, Number.MAX_SAFE_INTEGER));
  return [wideBytes, wideBytes.length];
}

function optionBytes(value: unknown, size: unknown): [Uint8Array | null, number] {
  if (value === null) {
    if (size === undefined) throw invalidType('size', 'a number, since the value is null', size);
    return [null, checkInteger('size', size, 0, MAX_INT)];
  }
  if (size !== undefined) throw invalidType('size', 'nothing unless the value is null', size);
  if (typeof value === 'number' || typeof value === 'boolean') {
    // 0xffffffff and -1 are the same int to the kernel.
    word[0] = checkInteger('value', Number(value), -0x80000000, 0xffffffff);
    return [wordBytes, 4];
  }
  if (!(value instanceof Uint8Array)) {
    throw invalidType('value', 'a number, a boolean, a Uint8Array or null', value);
  }
  return [checkBytes('value', value), value.length];
}

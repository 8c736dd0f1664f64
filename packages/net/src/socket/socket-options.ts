import { native } from '@sockeye/native';
import { checkBytes, checkInteger, invalidType } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';

// CPython refuses larger ones too; no option of the kernel is longer.
const MAX_OPTION_BYTES = 1024;
const MAX_INT = 0x7fffffff;
const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

const checkNumber = (name: string, value: unknown): number =>
  checkInteger(name, value, -0x80000000, MAX_INT);

/** An option's value as an int. Source: getsockopt(2). */
export function getIntOption(descriptor: Descriptor, level: number, name: number): number {
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
  const [bytes, length] = optionBytes(value, size);
  const status = native.setsockopt(descriptor.fd, level, name, bytes, length);
  if (status < 0) throw descriptor.error('setsockopt', -status, { option: name });
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

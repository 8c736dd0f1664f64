import { isUtf8 } from 'node:buffer';
import { ENAMETOOLONG } from '../constants/index.ts';
import { invalidType, outOfRange, SocketError } from '../errors/index.ts';
import type { UnixAddress, Unchecked } from './address.ts';
import { FAMILY_LENGTH } from './sockaddr.ts';

// struct sockaddr_un, unix(7):
//    0       2                        at most 110
//   | family| path, ends with a NUL   |
//   | family| NUL, abstract name      |   every byte counts, NULs too
//   | family|                         |   unnamed
const MAX_PATH = 108;

function pathBytes(path: unknown): Uint8Array {
  if (path instanceof Uint8Array) return path;
  if (typeof path !== 'string') throw invalidType('path', 'a string or a Uint8Array', path);
  // Encoding would turn it into U+FFFD: another name than the one that was asked for.
  if (/\p{Surrogate}/u.test(path)) throw outOfRange('path', 'without lone surrogates', path);
  return Buffer.from(path);
}

function tooLong(address: unknown, length: number, limit: number): SocketError {
  const reason = `the path is ${length} bytes long, limit ${limit}`;
  return new SocketError('sockaddr_un', ENAMETOOLONG, { address, reason });
}

/** Writes a sockaddr_un; returns its length, which counts. */
export function encodeUnix(address: Unchecked<UnixAddress>, target: Uint8Array): number {
  const { path } = address;
  const bytes = pathBytes(path);
  const isAbstract = bytes[0] === 0;
  // The kernel takes a path of 108 bytes without its NUL, but reports one byte more than the struct
  // holds then; Python refuses such a path too.
  const limit = isAbstract ? MAX_PATH : MAX_PATH - 1;
  if (bytes.length > limit) throw tooLong(address, bytes.length, limit);
  if (!isAbstract && bytes.includes(0)) throw outOfRange('path', 'without NUL bytes', path);
  target.set(bytes, FAMILY_LENGTH);
  const end = FAMILY_LENGTH + bytes.length;
  if (isAbstract || bytes.length === 0) return end;
  target[end] = 0;
  return end + 1;
}

/** Reads a sockaddr_un. A name that is not UTF-8 becomes a Buffer, a copy. */
export function decodeUnix(bytes: Uint8Array, length: number): UnixAddress {
  if (length <= FAMILY_LENGTH) return { path: '' };
  const nul = bytes.indexOf(0, FAMILY_LENGTH + 1);
  const isPath = bytes[FAMILY_LENGTH] !== 0;
  const end = isPath && nul >= 0 && nul < length ? nul : length;
  const name = Buffer.from(bytes.subarray(FAMILY_LENGTH, end));
  return { path: isUtf8(name) ? name.toString() : name };
}

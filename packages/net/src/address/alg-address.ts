import { checkInteger, checkString, outOfRange } from '../errors/index.ts';
import type { AlgAddress, AlgAddressInput, Unchecked } from './address.ts';
import { readNative32, writeNative32 } from './sockaddr.ts';

// struct sockaddr_alg, linux/if_alg.h:
//    0       2                   16              20              24                88
//   | family| type, NUL-padded  | feat          | mask          | name, NUL-padded |
const LENGTH = 88;
const TYPE_OFFSET = 2;
const TYPE_LENGTH = 14;
const NAME_OFFSET = 24;
const NAME_LENGTH = 64;
const MAX_32 = 0xffffffff;

/** The bytes of a name that must leave room for its NUL. */
function nameBytes(field: string, value: unknown, length: number): Buffer {
  const bytes = Buffer.from(checkString(field, value));
  if (bytes.length >= length) throw outOfRange(field, `at most ${length - 1} bytes long`, value);
  if (bytes.includes(0)) throw outOfRange(field, 'without NUL bytes', value);
  return bytes;
}

/** Writes a sockaddr_alg; returns its length. */
export function encodeAlg(address: Unchecked<AlgAddressInput>, target: Uint8Array): number {
  const type = nameBytes('type', address.type, TYPE_LENGTH);
  const name = nameBytes('name', address.name, NAME_LENGTH);
  const feat = checkInteger('feat', address.feat ?? 0, 0, MAX_32);
  const mask = checkInteger('mask', address.mask ?? 0, 0, MAX_32);
  target.fill(0, 0, LENGTH);
  target.set(type, TYPE_OFFSET);
  writeNative32(target, 16, feat);
  writeNative32(target, 20, mask);
  target.set(name, NAME_OFFSET);
  return LENGTH;
}

function readName(bytes: Uint8Array, offset: number, length: number): string {
  const padded = Buffer.from(bytes.subarray(offset, offset + length));
  const end = padded.indexOf(0);
  return padded.toString('utf8', 0, end < 0 ? length : end);
}

/** Reads a sockaddr_alg. */
export function decodeAlg(bytes: Uint8Array): AlgAddress {
  return {
    type: readName(bytes, TYPE_OFFSET, TYPE_LENGTH),
    name: readName(bytes, NAME_OFFSET, NAME_LENGTH),
    feat: readNative32(bytes, 16),
    mask: readNative32(bytes, 20),
  };
}

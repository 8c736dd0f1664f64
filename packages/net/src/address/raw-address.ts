import { checkBytes, checkInteger, outOfRange } from '../errors/index.ts';
import type { RawAddress, Unchecked } from './address.ts';
import { FAMILY_LENGTH, MAX_ADDRESS_LENGTH, readNative16, writeNative16 } from './sockaddr.ts';

const MAX_DATA = MAX_ADDRESS_LENGTH - FAMILY_LENGTH;

/** Writes the bytes of a sockaddr as they are; returns its length. */
export function encodeRaw(address: Unchecked<RawAddress>, target: Uint8Array): number {
  const family = checkInteger('family', address.family, 0, 65535);
  const data = checkBytes('data', address.data);
  if (data.length > MAX_DATA) {
    throw outOfRange('data', `at most ${MAX_DATA} bytes long`, data.length);
  }
  writeNative16(target, 0, family);
  target.set(data, FAMILY_LENGTH);
  return FAMILY_LENGTH + data.length;
}

/** Reads any sockaddr; `data` is a copy. */
export function decodeRaw(bytes: Uint8Array, length: number): RawAddress {
  return {
    family: readNative16(bytes, 0),
    data: Buffer.from(bytes.subarray(FAMILY_LENGTH, length)),
  };
}

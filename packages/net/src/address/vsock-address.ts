import { checkInteger } from '../errors/index.ts';
import type { Unchecked, VsockAddress } from './address.ts';
import { readNative32, writeNative32 } from './sockaddr.ts';

// struct sockaddr_vm, vsock(7):
//    0       2       4               8               12     13      16
//   | family| 0     | port          | cid           | flags| zero   |
const LENGTH = 16;
const MAX_32 = 0xffffffff;

/** Writes a sockaddr_vm; returns its length. */
export function encodeVsock(address: Unchecked<VsockAddress>, target: Uint8Array): number {
  const cid = checkInteger('cid', address.cid, 0, MAX_32);
  const port = checkInteger('port', address.port, 0, MAX_32);
  target.fill(0, 0, LENGTH);
  writeNative32(target, 4, port);
  writeNative32(target, 8, cid);
  return LENGTH;
}

/** Reads a sockaddr_vm. */
export function decodeVsock(bytes: Uint8Array): VsockAddress {
  return { cid: readNative32(bytes, 8), port: readNative32(bytes, 4) };
}

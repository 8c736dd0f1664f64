import { checkInteger } from '../errors/index.ts';
import type { QrtrAddress, Unchecked } from './address.ts';
import { readNative32, writeNative16, writeNative32 } from './sockaddr.ts';

// struct sockaddr_qrtr, linux/qrtr.h:
//    0       2       4               8              12
//   | family| pad   | node          | port          |
const LENGTH = 12;
const MAX_32 = 0xffffffff;

/** Writes a sockaddr_qrtr; returns its length. */
export function encodeQrtr(address: Unchecked<QrtrAddress>, target: Uint8Array): number {
  const node = checkInteger('node', address.node, 0, MAX_32);
  const port = checkInteger('port', address.port, 0, MAX_32);
  writeNative16(target, 2, 0);
  writeNative32(target, 4, node);
  writeNative32(target, 8, port);
  return LENGTH;
}

/** Reads a sockaddr_qrtr. */
export function decodeQrtr(bytes: Uint8Array): QrtrAddress {
  return { node: readNative32(bytes, 4), port: readNative32(bytes, 8) };
}

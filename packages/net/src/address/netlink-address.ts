import { checkInteger } from '../errors/index.ts';
import type { NetlinkAddress, Unchecked } from './address.ts';
import { readNative32, writeNative16, writeNative32 } from './sockaddr.ts';

// struct sockaddr_nl, netlink(7):
//    0       2       4               8              12
//   | family| pad   | pid           | groups        |
const LENGTH = 12;
const MAX_32 = 0xffffffff;

/** Writes a sockaddr_nl; returns its length. */
export function encodeNetlink(address: Unchecked<NetlinkAddress>, target: Uint8Array): number {
  const pid = checkInteger('pid', address.pid, 0, MAX_32);
  const groups = checkInteger('groups', address.groups, 0, MAX_32);
  writeNative16(target, 2, 0);
  writeNative32(target, 4, pid);
  writeNative32(target, 8, groups);
  return LENGTH;
}

/** Reads a sockaddr_nl. */
export function decodeNetlink(bytes: Uint8Array): NetlinkAddress {
  return { pid: readNative32(bytes, 4), groups: readNative32(bytes, 8) };
}

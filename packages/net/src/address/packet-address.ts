import { checkBytes, checkInteger, outOfRange } from '../errors/index.ts';
import type { InterfaceNames, PacketAddress, PacketAddressInput, Unchecked } from './address.ts';
import { interfaceIndex, interfaceName } from './interface-index.ts';
import {
  byteAt,
  read16,
  readNative16,
  readNative32,
  write16,
  writeNative16,
  writeNative32,
} from './sockaddr.ts';

// struct sockaddr_ll, packet(7):
//    0       2         4               8       10        11      12               20
//   | family| protocol| ifindex       | hatype| pkttype | halen | hwaddr, padded  |
//   | native| big     | native        | native|         |       |                 |
const LENGTH = 20;
const HEADER_LENGTH = 12;
/** MAX_ADDR_LEN of the kernel's netdevice.h: InfiniBand needs 20, and makes the sockaddr longer. */
const MAX_HWADDR = 32;
const NO_BYTES = new Uint8Array(0);

/** Writes a sockaddr_ll; returns its length. */
export function encodePacket(
  address: Unchecked<PacketAddressInput>,
  target: Uint8Array,
  interfaces?: InterfaceNames,
): number {
  const protocol = checkInteger('protocol', address.protocol ?? 0, 0, 0xffff);
  const pkttype = checkInteger('pkttype', address.pkttype ?? 0, 0, 0xff);
  const hatype = checkInteger('hatype', address.hatype ?? 0, 0, 0xffff);
  const hwaddr = checkBytes('hwaddr', address.hwaddr ?? NO_BYTES);
  if (hwaddr.length > MAX_HWADDR) {
    throw outOfRange('hwaddr', `at most ${MAX_HWADDR} bytes long`, hwaddr.length);
  }
  const index = interfaceIndex('interface', address.interface, interfaces);
  target.fill(0, 0, LENGTH);
  write16(target, 2, protocol);
  writeNative32(target, 4, index);
  writeNative16(target, 8, hatype);
  target[10] = pkttype;
  target[11] = hwaddr.length;
  target.set(hwaddr, HEADER_LENGTH);
  return Math.max(LENGTH, HEADER_LENGTH + hwaddr.length);
}

/** Reads a sockaddr_ll; `hwaddr` is a copy. */
export function decodePacket(
  bytes: Uint8Array,
  length: number,
  interfaces?: InterfaceNames,
): PacketAddress {
  const end = Math.min(length, HEADER_LENGTH + byteAt(bytes, 11));
  return {
    interface: interfaceName(readNative32(bytes, 4), interfaces),
    protocol: read16(bytes, 2),
    pkttype: byteAt(bytes, 10),
    hatype: readNative16(bytes, 8),
    hwaddr: Buffer.from(bytes.subarray(HEADER_LENGTH, end)),
  };
}

import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
} from '../constants/index.ts';
import { invalidType, outOfRange } from '../errors/index.ts';
import type {
  AddressContext,
  AddressInput,
  AddressInputOf,
  InterfaceNames,
  RawAddress,
  Unchecked,
} from './address.ts';
import { encodeAlg } from './alg-address.ts';
import { encodeBluetooth } from './bluetooth-address.ts';
import { encodeCan } from './can-address.ts';
import { encodeInet } from './inet-address.ts';
import { encodeInet6 } from './inet6-address.ts';
import { encodeNetlink } from './netlink-address.ts';
import { encodePacket } from './packet-address.ts';
import { encodeQrtr } from './qrtr-address.ts';
import { encodeRaw } from './raw-address.ts';
import { MAX_ADDRESS_LENGTH, writeNative16 } from './sockaddr.ts';
import { encodeTipc } from './tipc-address.ts';
import { encodeUnix } from './unix-address.ts';
import { encodeVsock } from './vsock-address.ts';

function isRaw(address: object): address is Unchecked<RawAddress> {
  return 'data' in address && 'family' in address;
}

/** What an address of the commonest families looks like, for an error. */
function formOf(family: number): string {
  if (family === AF_INET) return ' such as { host, port }, since the socket is AF_INET';
  if (family === AF_INET6) return ' such as { host, port }, since the socket is AF_INET6';
  return family === AF_UNIX ? ' such as { path }, since the socket is AF_UNIX' : '';
}

/**
 * Writes an address as the sockaddr of its family, for a system call.
 *
 * Nothing is resolved: see `isNumericHost`. After an error the bytes of `target` are undefined.
 *
 * @param family - the socket's family
 * @param proto - the socket's protocol, which decides the form within AF_CAN and AF_BLUETOOTH
 * @param address - fields are read once each; a `RawAddress` fits every family
 * @param target - at least `MAX_ADDRESS_LENGTH` bytes, which are not kept
 * @param interfaces - needed where an interface is given by name; its errors pass through
 * @returns how many bytes of `target` are the address
 * @throws TypeError for a field of the wrong type
 * @throws RangeError for a field out of range, a path too long, or a host that is a name
 * Source: the man pages named in each family's file.
 *
 * @example
 * const target = Buffer.alloc(MAX_ADDRESS_LENGTH);
 * const length = encodeAddressInto(AF_INET, 0, { host: '127.0.0.1', port: 80 }, target);
 * assert.equal(length, 16);
 */
export function encodeAddressInto(
  family: number,
  proto: number,
  address: AddressInput,
  target: Uint8Array,
  interfaces?: InterfaceNames,
): number {
  if (typeof address !== 'object' || address === null || Array.isArray(address)) {
    throw invalidType('address', `an object${formOf(family)}`, address);
  }
  if (target.length < MAX_ADDRESS_LENGTH) {
    throw outOfRange('target', `at least ${MAX_ADDRESS_LENGTH} bytes long`, target.length);
  }
  if (isRaw(address)) return encodeRaw(address, target);
  const length = encodeForm(family, proto, address, target, interfaces);
  // RDS borrows its addresses from IPv4, family included; net/rds/bind.c.
  writeNative16(target, 0, family === AF_RDS ? AF_INET : family);
  return length;
}

/** Writes all but the family. No type says which form a family has that is known at run time only. */
function encodeForm(
  family: number,
  proto: number,
  address: object,
  target: Uint8Array,
  interfaces: InterfaceNames | undefined,
): number {
  switch (family) {
    case AF_INET:
    case AF_RDS:
      return encodeInet(address, target);
    case AF_INET6:
      return encodeInet6(address, target, interfaces);
    case AF_UNIX:
      return encodeUnix(address, target);
    case AF_PACKET:
      return encodePacket(address, target, interfaces);
    case AF_NETLINK:
      return encodeNetlink(address, target);
    case AF_VSOCK:
      return encodeVsock(address, target);
    case AF_CAN:
      return encodeCan(address, target, proto, interfaces);
    case AF_TIPC:
      return encodeTipc(address, target);
    case AF_ALG:
      return encodeAlg(address, target);
    case AF_QIPCRTR:
      return encodeQrtr(address, target);
    case AF_BLUETOOTH:
      return encodeBluetooth(address, target, proto);
    default:
      throw invalidType('address', '{ family, data }, the only form for this family', address);
  }
}

/**
 * The bytes of an address, in a Buffer of its own: `encodeAddressInto` for where speed is no matter.
 *
 * @throws TypeError and RangeError as `encodeAddressInto` does
 *
 * @example
 * assert.equal(encodeAddress(AF_UNIX, { path: '' }).length, 2);
 */
export function encodeAddress<Family extends number>(
  family: Family,
  address: AddressInputOf<Family>,
  { proto = 0, interfaces }: AddressContext = {},
): Buffer {
  const target = Buffer.alloc(MAX_ADDRESS_LENGTH);
  const length = encodeAddressInto(family, proto, address, target, interfaces);
  return target.subarray(0, length);
}

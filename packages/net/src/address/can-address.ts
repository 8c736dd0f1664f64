import { CAN_ISOTP, CAN_J1939 } from '../constants/index.ts';
import { checkInteger, invalidType, outOfRange } from '../errors/index.ts';
import type {
  CanAddress,
  CanIsotpAddress,
  CanJ1939Address,
  CanJ1939AddressInput,
  InterfaceNames,
  Unchecked,
} from './address.ts';
import { interfaceIndex, interfaceName } from './interface-index.ts';
import { byteAt, isLittleEndian, readNative32, writeNative32 } from './sockaddr.ts';

// struct sockaddr_can, linux/can.h:
//    0       2       4               8               12              16              20    21    24
//   | family| pad   | ifindex       |                                                              |
//   ISO-TP                          | rx_id         | tx_id         |
//   J1939                           | name                          | pgn           | addr|
const LENGTH = 24;
const MAX_32 = 0xffffffff;
const MAX_64 = 0xffff_ffff_ffff_ffffn;

/** Every form of an `AF_CAN` address at once. */
type CanFields = Unchecked<CanIsotpAddress & CanJ1939AddressInput>;

/** Writes a sockaddr_can in the form that the protocol needs; returns its length. */
export function encodeCan(
  address: CanFields,
  target: Uint8Array,
  proto: number,
  interfaces?: InterfaceNames,
): number {
  target.fill(0, 0, LENGTH);
  if (proto === CAN_ISOTP) writeIsotp(address, target);
  else if (proto === CAN_J1939) writeJ1939(address, target);
  writeNative32(target, 4, interfaceIndex('interface', address.interface, interfaces));
  return LENGTH;
}

function writeIsotp(address: CanFields, target: Uint8Array): void {
  writeNative32(target, 8, checkInteger('rxId', address.rxId, 0, MAX_32));
  writeNative32(target, 12, checkInteger('txId', address.txId, 0, MAX_32));
}

function writeJ1939(address: CanFields, target: Uint8Array): void {
  const name = checkName(address.name);
  writeNative32(target, 16, checkInteger('pgn', address.pgn, 0, MAX_32));
  target[20] = checkInteger('addr', address.addr, 0, 0xff);
  new DataView(target.buffer, target.byteOffset).setBigUint64(8, name, isLittleEndian);
}

function checkName(name: unknown): bigint {
  if (typeof name === 'number') {
    return BigInt(checkInteger('name', name, 0, Number.MAX_SAFE_INTEGER));
  }
  if (typeof name !== 'bigint') throw invalidType('name', 'a bigint or a number', name);
  if (name < 0n || name > MAX_64) throw outOfRange('name', `in 0…${MAX_64}`, name);
  return name;
}

/** How much of a sockaddr_can the kernel gives for a protocol: net/can, `*_MIN_NAMELEN`. */
export function canLength(proto: number): number {
  if (proto === CAN_ISOTP) return 16;
  return proto === CAN_J1939 ? LENGTH : 8;
}

/** Reads a sockaddr_can in the form that the protocol gives it. */
export function decodeCan(
  bytes: Uint8Array,
  proto: number,
  interfaces?: InterfaceNames,
): CanAddress | CanIsotpAddress | CanJ1939Address {
  const name = interfaceName(readNative32(bytes, 4), interfaces);
  if (proto === CAN_ISOTP) {
    return { interface: name, rxId: readNative32(bytes, 8), txId: readNative32(bytes, 12) };
  }
  if (proto !== CAN_J1939) return { interface: name };
  return {
    interface: name,
    name: new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8, isLittleEndian),
    pgn: readNative32(bytes, 16),
    addr: byteAt(bytes, 20),
  };
}

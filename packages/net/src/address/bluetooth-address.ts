import { checkInteger, checkString, outOfRange } from '../errors/index.ts';
import type {
  HciAddress,
  HciAddressInput,
  L2capAddress,
  L2capAddressInput,
  RfcommAddress,
  ScoAddress,
  Unchecked,
} from './address.ts';
import { byteAt, FAMILY_LENGTH, readNative16, writeNative16 } from './sockaddr.ts';

// The structs of the kernel's include/net/bluetooth, numbers little-endian where it says so:
//                  0       2              8       10              13   14
//   sockaddr_l2   | family| psm  | bdaddr         | cid   | bdaddr_type|    psm and cid little-endian
//                  0       2      4               10      12           13
//   sockaddr_rc   | family| bdaddr         | channel | pad |
//                  0       2                8         9    10
//   sockaddr_hci  | family| device | channel |                             both native
//                  0       2        4         6
//   sockaddr_sco  | family| bdaddr         |
//                  0       2                8
const L2CAP_LENGTH = 14;
const RFCOMM_LENGTH = 10;
const HCI_LENGTH = 6;
const SCO_LENGTH = 8;

/** BTPROTO_* of the kernel's net/bluetooth/bluetooth.h: the headers of BlueZ, where C programs find
 *  them, are rarely installed, and no other header has them. */
const L2CAP = 0;
const HCI = 1;
const SCO = 2;
const RFCOMM = 3;

const BDADDR_LENGTH = 6;

/** The bytes of `01:23:45:67:89:AB` go to memory in reverse: a bdaddr_t is little-endian. */
function writeBdaddr(target: Uint8Array, offset: number, value: unknown): void {
  const text = checkString('bdaddr', value);
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw outOfRange('bdaddr', 'six hexadecimal bytes joined by colons', text);
  }
  text.split(':').forEach((byte, i) => {
    target[offset + BDADDR_LENGTH - 1 - i] = Number.parseInt(byte, 16);
  });
}

function readBdaddr(bytes: Uint8Array, offset: number): string {
  const memory = Array.from(bytes.subarray(offset, offset + BDADDR_LENGTH));
  const hex = memory.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase());
  return hex.toReversed().join(':');
}

function writeLittle16(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value;
  target[offset + 1] = value >>> 8;
}

function readLittle16(bytes: Uint8Array, offset: number): number {
  return byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8);
}

function encodeL2cap(address: BluetoothFields, target: Uint8Array): number {
  target.fill(0, 0, L2CAP_LENGTH);
  writeLittle16(target, 2, checkInteger('psm', address.psm, 0, 0xffff));
  writeBdaddr(target, 4, address.bdaddr);
  writeLittle16(target, 10, checkInteger('cid', address.cid ?? 0, 0, 0xffff));
  target[12] = checkInteger('bdaddrType', address.bdaddrType ?? 0, 0, 0xff);
  return L2CAP_LENGTH;
}

function encodeRfcomm(address: BluetoothFields, target: Uint8Array): number {
  writeBdaddr(target, 2, address.bdaddr);
  target[8] = checkInteger('channel', address.channel, 0, 0xff);
  target[9] = 0;
  return RFCOMM_LENGTH;
}

function encodeHci(address: BluetoothFields, target: Uint8Array): number {
  writeNative16(target, 2, checkInteger('device', address.device, 0, 0xffff));
  writeNative16(target, 4, checkInteger('channel', address.channel ?? 0, 0, 0xffff));
  return HCI_LENGTH;
}

function encodeSco(address: BluetoothFields, target: Uint8Array): number {
  writeBdaddr(target, 2, address.bdaddr);
  return SCO_LENGTH;
}

/** Every form of an `AF_BLUETOOTH` address at once. */
type BluetoothFields = Unchecked<L2capAddressInput & RfcommAddress & HciAddressInput & ScoAddress>;

const encoders = new Map([
  [L2CAP, encodeL2cap],
  [RFCOMM, encodeRfcomm],
  [HCI, encodeHci],
  [SCO, encodeSco],
]);

/** Writes the sockaddr that the protocol needs; returns its length. */
export function encodeBluetooth(
  address: BluetoothFields,
  target: Uint8Array,
  proto: number,
): number {
  const encode = encoders.get(proto);
  if (encode === undefined) {
    throw outOfRange('proto', 'a Bluetooth protocol with a form of address', proto);
  }
  const length = encode(address, target);
  return length;
}

const lengths = new Map([
  [L2CAP, L2CAP_LENGTH],
  [RFCOMM, RFCOMM_LENGTH],
  [HCI, HCI_LENGTH],
  [SCO, SCO_LENGTH],
]);

/** How long the protocol's addresses are; the family alone for a protocol without a form. */
export function bluetoothLength(proto: number): number {
  return lengths.get(proto) ?? FAMILY_LENGTH;
}

/** Reads the sockaddr that the protocol gives; undefined for a protocol without a form. */
export function decodeBluetooth(
  bytes: Uint8Array,
  proto: number,
): L2capAddress | RfcommAddress | HciAddress | ScoAddress | undefined {
  if (!lengths.has(proto)) return undefined;
  if (proto === HCI) return { device: readNative16(bytes, 2), channel: readNative16(bytes, 4) };
  if (proto === SCO) return { bdaddr: readBdaddr(bytes, 2) };
  if (proto === RFCOMM) return { bdaddr: readBdaddr(bytes, 2), channel: byteAt(bytes, 8) };
  return {
    bdaddr: readBdaddr(bytes, 4),
    psm: readLittle16(bytes, 2),
    cid: readLittle16(bytes, 10),
    bdaddrType: byteAt(bytes, 12),
  };
}

import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
} from '../constants/index.ts';
import { outOfRange } from '../errors/index.ts';
import type { Address, AddressContext } from './address.ts';
import { decodeAlg } from './alg-address.ts';
import { bluetoothLength, decodeBluetooth } from './bluetooth-address.ts';
import { canLength, decodeCan } from './can-address.ts';
import { decodeInet } from './inet-address.ts';
import { decodeInet6 } from './inet6-address.ts';
import { decodeNetlink } from './netlink-address.ts';
import { decodePacket } from './packet-address.ts';
import { decodeQrtr } from './qrtr-address.ts';
import { decodeRaw } from './raw-address.ts';
import { FAMILY_LENGTH, readNative16 } from './sockaddr.ts';
import { decodeTipc } from './tipc-address.ts';
import { decodeUnix } from './unix-address.ts';
import { decodeVsock } from './vsock-address.ts';

const noContext: AddressContext = {};

/**
 * Reads a sockaddr that a system call has written.
 *
 * The form follows the family in the bytes; one without a form gives a `RawAddress`. An interface
 * that has no name (any more) stays a number. Nothing of `bytes` is kept.
 *
 * @param bytes - the sockaddr, at its start
 * @param length - how many bytes the system call gave; all by default
 * @param context - the socket's protocol and a way to name interfaces
 * @returns null for length 0: the kernel had no address to give
 * @throws RangeError if the length is more than there is or less than the family needs
 *
 * @example
 * const bytes = encodeAddress(AF_INET, { host: '127.0.0.1', port: 80 });
 * assert.deepEqual(decodeAddress(bytes), { host: '127.0.0.1', port: 80 });
 */
export function decodeAddress(
  bytes: Uint8Array,
  length = bytes.length,
  context: AddressContext = noContext,
): Address | null {
  if (length === 0) return null;
  if (length > bytes.length || length < FAMILY_LENGTH) {
    throw outOfRange('length', `in ${FAMILY_LENGTH}…${bytes.length}`, length);
  }
  const family = readNative16(bytes, 0);
  const { proto = 0, interfaces } = context;
  const needed = neededLength(family, proto);
  if (length < needed) throw outOfRange('length', `at least the ${needed} of its family`, length);
  switch (family) {
    case AF_INET:
      return decodeInet(bytes);
    case AF_INET6:
      return decodeInet6(bytes);
    case AF_UNIX:
      return decodeUnix(bytes, length);
    case AF_PACKET:
      return decodePacket(bytes, length, interfaces);
    case AF_NETLINK:
      return decodeNetlink(bytes);
    case AF_VSOCK:
      return decodeVsock(bytes);
    case AF_CAN:
      return decodeCan(bytes, proto, interfaces);
    case AF_TIPC:
      return decodeTipc(bytes) ?? decodeRaw(bytes, length);
    case AF_ALG:
      return decodeAlg(bytes);
    case AF_QIPCRTR:
      return decodeQrtr(bytes);
    case AF_BLUETOOTH:
      return decodeBluetooth(bytes, proto) ?? decodeRaw(bytes, length);
    default:
      return decodeRaw(bytes, length);
  }
}

/** How many bytes the decoder reads: those that the kernel gives at least. */
function neededLength(family: number, proto: number): number {
  switch (family) {
    case AF_INET:
    case AF_VSOCK:
    case AF_TIPC:
      return 16;
    case AF_INET6:
      return 28;
    case AF_PACKET:
    case AF_NETLINK:
    case AF_QIPCRTR:
      return 12;
    case AF_CAN:
      return canLength(proto);
    case AF_ALG:
      return 88;
    case AF_BLUETOOTH:
      return bluetoothLength(proto);
    default:
      return FAMILY_LENGTH;
  }
}

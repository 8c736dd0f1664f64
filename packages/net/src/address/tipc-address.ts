import { TIPC_ADDR_ID, TIPC_ADDR_NAME, TIPC_ADDR_NAMESEQ } from '../constants/index.ts';
import { checkInteger, outOfRange } from '../errors/index.ts';
import type {
  TipcAddress,
  TipcRangeAddress,
  TipcServiceAddress,
  TipcSocketAddress,
  Unchecked,
} from './address.ts';
import { byteAt, readNative32, writeNative32 } from './sockaddr.ts';

// struct sockaddr_tipc, linux/tipc.h:
//    0       2          3       4               8               12             16
//   | family| addrtype | scope |                                               |
//   TIPC_ADDR_NAMESEQ          | type          | lower         | upper         |
//   TIPC_ADDR_NAME             | type          | instance      | domain        |
//   TIPC_ADDR_ID               | ref           | node          |               |
const LENGTH = 16;
const MAX_32 = 0xffffffff;

/** Every form of an `AF_TIPC` address at once. */
type TipcFields = Unchecked<
  Record<keyof TipcRangeAddress | keyof TipcServiceAddress | keyof TipcSocketAddress, unknown>
>;

/** The three 32-bit numbers that follow the scope. */
function words(addrType: number, address: TipcFields): [string, unknown][] {
  if (addrType === TIPC_ADDR_NAMESEQ) {
    return Object.entries({ type: address.type, lower: address.lower, upper: address.upper });
  }
  if (addrType === TIPC_ADDR_NAME) {
    const { type, instance, domain } = address;
    return Object.entries({ type, instance, domain: domain ?? 0 });
  }
  if (addrType === TIPC_ADDR_ID) return Object.entries({ ref: address.ref, node: address.node });
  throw outOfRange('addrType', 'TIPC_ADDR_NAMESEQ, TIPC_ADDR_NAME or TIPC_ADDR_ID', addrType);
}

/** Writes a sockaddr_tipc; returns its length. */
export function encodeTipc(address: TipcFields, target: Uint8Array): number {
  const addrType = checkInteger('addrType', address.addrType, 0, 0xff);
  target.fill(0, 0, LENGTH);
  target[2] = addrType;
  words(addrType, address).forEach(([name, value], i) => {
    writeNative32(target, 4 + 4 * i, checkInteger(name, value, 0, MAX_32));
  });
  target[3] = checkInteger('scope', address.scope ?? 0, -128, 127);
  return LENGTH;
}

/** Reads a sockaddr_tipc; undefined for a type of address that has no form. */
export function decodeTipc(bytes: Uint8Array): TipcAddress | undefined {
  const addrType = byteAt(bytes, 2);
  const scope = (byteAt(bytes, 3) << 24) >> 24;
  const first = readNative32(bytes, 4);
  const second = readNative32(bytes, 8);
  const third = readNative32(bytes, 12);
  if (addrType === TIPC_ADDR_NAMESEQ) {
    return { addrType, type: first, lower: second, upper: third, scope };
  }
  if (addrType === TIPC_ADDR_NAME) {
    return { addrType, type: first, instance: second, domain: third, scope };
  }
  return addrType === TIPC_ADDR_ID ? { addrType, ref: first, node: second, scope } : undefined;
}

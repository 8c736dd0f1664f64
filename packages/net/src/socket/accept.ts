import { native } from '@sockeye/native';
import { type Address, decodeAddress } from '../address/index.ts';
import {
  EAGAIN,
  ECONNABORTED,
  EHOSTDOWN,
  EHOSTUNREACH,
  ENETDOWN,
  ENETUNREACH,
  ENONET,
  ENOPROTOOPT,
  EPERM,
  EPROTO,
} from '../constants/index.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Operation, WOULD_BLOCK } from './operation.ts';
import { addressOut } from './scratch.ts';
import { lastAddress } from './receive.ts';

/**
 * Errors that belong to the connection that was to be accepted, not to the listener: the next one is
 * taken at once. accept(2) names the network ones; ECONNABORTED is a
 * peer that left early, EPERM a firewall's refusal.
 */
const NEXT_AT_ONCE: ReadonlySet<number> = new Set(
  [
    ECONNABORTED,
    EPROTO,
    EPERM,
    ENETDOWN,
    ENOPROTOOPT,
    EHOSTDOWN,
    ENONET,
    EHOSTUNREACH,
    ENETUNREACH,
  ].filter((errno) => errno !== undefined),
);

type AcceptOperation = Operation<[number, Address | null]>;

/** accept4(2): the descriptor and the peer's address. */
export function acceptFrom(
  descriptor: Descriptor,
  proto: number,
): Required<Pick<AcceptOperation, 'accept'>> & AcceptOperation {
  return {
    syscall: 'accept',
    direction: 'read',
    attempt() {
      for (;;) {
        const fd = native.accept4(descriptor.fd, addressOut);
        if (fd >= 0) return [fd, lastAddress(proto)];
        if (fd === -(EAGAIN as number)) return WOULD_BLOCK;
        if (!NEXT_AT_ONCE.has(-fd)) throw descriptor.error('accept', -fd);
      }
    },
    accept(fd, slab, offset) {
      const length = slab.readUInt32LE(offset);
      const address = decodeAddress(slab.subarray(offset + 4, offset + 4 + length), length, {
        proto,
        interfaces: interfaceNames,
      });
      return [fd, address];
    },
  };
}

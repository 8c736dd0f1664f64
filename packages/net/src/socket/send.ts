import { native } from '@sockeye/native';
import { type AddressInput, encodeAddressInto } from '../address/index.ts';
import { EAGAIN } from '../constants/index.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate } from './receive.ts';
import { addressIn } from './scratch.ts';

/** What every send needs of its socket. */
export interface Target {
  readonly descriptor: Descriptor;
  readonly family: number;
  readonly proto: number;
}

/** `send`: one system call. */
export function sendOnce(
  { descriptor }: Target,
  data: Uint8Array,
  flags: number,
): Operation<number> {
  // The length at the call: the native call refuses a buffer that was detached or shrunk since.
  const { length } = data;
  return {
    syscall: 'send',
    direction: 'write',
    immediate: isImmediate(flags),
    attempt() {
      const count = native.send(descriptor.fd, data, 0, length, flags);
      if (count === -(EAGAIN as number)) return WOULD_BLOCK;
      if (count < 0) throw descriptor.error('send', -count);
      descriptor.writer.charge(count);
      return count;
    },
  };
}

/** `sendto`: one system call. The address is encoded, and so checked, before it. */
export function sendTo(
  { descriptor, family, proto }: Target,
  data: Uint8Array,
  address: AddressInput,
  flags: number,
): Operation<number> {
  const { length } = data;
  let sockaddr = addressIn;
  const sockaddrLength = encodeAddressInto(family, proto, address, addressIn, interfaceNames);
  return {
    syscall: 'sendto',
    direction: 'write',
    address,
    immediate: isImmediate(flags),
    // The first attempt follows at once; by a later one another call has used the scratch.
    keep() {
      sockaddr = Buffer.from(addressIn.subarray(0, sockaddrLength));
    },
    attempt() {
      const count = native.sendto(descriptor.fd, data, 0, length, flags, sockaddr, sockaddrLength);
      if (count === -(EAGAIN as number)) return WOULD_BLOCK;
      if (count < 0) throw descriptor.error('sendto', -count, { address });
      descriptor.writer.charge(count);
      return count;
    },
  };
}

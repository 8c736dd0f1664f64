import { native } from '@sockeye/native';
import { type AddressInput, encodeAddressInto } from '../address/index.ts';
import { EAGAIN } from '../constants/index.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
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

/**
 * `sendto`: one system call. The address is encoded, and so checked, before it. A class, because a
 * server makes one for each datagram.
 */
export class SendTo implements Operation<number> {
  readonly syscall = 'sendto';
  readonly direction = 'write';
  readonly address: AddressInput;
  readonly immediate: ReturnType<typeof isImmediate>;
  #descriptor: Descriptor;
  #data: Uint8Array;
  #length: number;
  #flags: number;
  // The first attempt follows at once; by a later one another call has used the scratch.
  #sockaddr = addressIn;
  #sockaddrLength: number;

  constructor(
    { descriptor, family, proto }: Target,
    data: Uint8Array,
    address: AddressInput,
    flags: number,
  ) {
    this.immediate = isImmediate(flags);
    this.address = address;
    this.#descriptor = descriptor;
    this.#data = data;
    this.#length = data.length;
    this.#flags = flags;
    this.#sockaddrLength = encodeAddressInto(family, proto, address, addressIn, interfaceNames);
  }

  keep(): void {
    this.#sockaddr = Buffer.from(addressIn.subarray(0, this.#sockaddrLength));
  }

  attempt(): Attempt<number> {
    const count = native.sendto(
      this.#descriptor.fd,
      this.#data,
      0,
      this.#length,
      this.#flags,
      this.#sockaddr,
      this.#sockaddrLength,
    );
    if (count === -(EAGAIN as number)) return WOULD_BLOCK;
    if (count < 0) throw this.#descriptor.error('sendto', -count, { address: this.address });
    this.#descriptor.writer.charge(count);
    return count;
  }
}

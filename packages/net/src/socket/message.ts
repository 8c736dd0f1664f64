import { native } from '@sockeye/native';
import {
  type Address,
  type AddressInput,
  encodeAddressInto,
  MAX_ADDRESS_LENGTH,
} from '../address/index.ts';
import { EAGAIN, MSG_TRUNC } from '../constants/index.ts';
import { checkInteger, invalidType } from '../errors/index.ts';
import {
  type AncillaryMessage,
  decodeAncillary,
  encodeAncillary,
  type ReceivedAncillary,
} from './ancillary.ts';
import { DatagramsAhead } from './datagrams-ahead.ts';
import { interfaceNames } from './interface-names.ts';
import { type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate, lastAddress, type Source } from './receive.ts';
import type { ReceivedDatagram } from './receive-batch.ts';
import { addressOut, copyBytes, receiveScratch, SCRATCH_BYTES } from './scratch.ts';
import type { Target } from './send.ts';

const MAX_INT = 0x7fffffff;

/** A message as recvmsg(2) gives it. */
export interface ReceivedMessage<From = Address> {
  readonly data: Buffer;
  readonly ancillary: ReceivedAncillary[];
  /** MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_ERRQUEUE, … */
  readonly flags: number;
  /** The sender; null where the kernel gives none. */
  readonly address: From | null;
}

/** The same for data that went into the caller's buffers. */
export interface ReceivedMessageInto<From = Address> extends Omit<ReceivedMessage<From>, 'data'> {
  readonly bytes: number;
}

const meta = new Int32Array(2);
const noControl = Buffer.alloc(0);

export function checkAncillarySize(size: unknown): number {
  return checkInteger('ancillarySize', size, 0, MAX_INT);
}

/** An array of Uint8Array, copied so that nobody changes it while the operation waits. */
export function checkBuffers(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw invalidType('buffers', 'an array of Uint8Array', value);
  value.forEach((item: unknown, i) => {
    if (!(item instanceof Uint8Array)) throw invalidType(`buffers[${i}]`, 'a Uint8Array', item);
  });
  return [...(value as Uint8Array[])];
}

/** `recvmsgInto`, and what `recvmsg` is made of. */
export function receiveMessageInto(
  { descriptor, proto }: Source,
  buffers: Uint8Array[],
  ancillarySize: number,
  flags: number,
): Operation<ReceivedMessageInto> {
  return {
    syscall: 'recvmsg',
    direction: 'read',
    immediate: isImmediate(flags),
    attempt() {
      const kept = DatagramsAhead.take(descriptor, flags);
      if (kept !== undefined) return scattered(kept, buffers, flags);
      // Made at each attempt: an idle socket holds no memory.
      const control = ancillarySize > 0 ? Buffer.alloc(ancillarySize) : noControl;
      const bytes = native.recvmsg(descriptor.fd, buffers, control, flags, addressOut, meta);
      if (bytes === -(EAGAIN as number)) return WOULD_BLOCK;
      if (bytes < 0) throw descriptor.error('recvmsg', -bytes);
      descriptor.reader.charge(bytes);
      return {
        bytes,
        ancillary: decodeAncillary(control, meta[0] as number),
        flags: meta[1] as number,
        address: lastAddress(proto),
      };
    },
  };
}

/** A datagram that was received ahead, in the caller's buffers. */
function scattered(
  datagram: ReceivedDatagram,
  buffers: Uint8Array[],
  flags: number,
): ReceivedMessageInto {
  const { data, address } = datagram;
  let at = 0;
  for (const buffer of buffers) {
    at += data.copy(buffer, 0, at);
  }
  const cut = at < data.length;
  return {
    bytes: (flags & (MSG_TRUNC as number)) === 0 ? at : data.length,
    ancillary: [],
    flags: datagram.flags | (cut ? (MSG_TRUNC as number) : 0),
    address,
  };
}

/** `recvmsg`. */
export function receiveMessage(
  source: Source,
  size: number,
  ancillarySize: number,
  flags: number,
): Operation<ReceivedMessage> {
  return {
    syscall: 'recvmsg',
    direction: 'read',
    immediate: isImmediate(flags),
    attempt() {
      const buffer =
        size <= SCRATCH_BYTES ? receiveScratch.subarray(0, size) : Buffer.allocUnsafeSlow(size);
      const received = receiveMessageInto(source, [buffer], ancillarySize, flags).attempt();
      if (typeof received === 'symbol') return received;
      const { bytes, ...rest } = received;
      return { data: copyBytes(buffer, 0, Math.min(bytes, size)), ...rest };
    },
  };
}

/** `sendmsg`: one system call. */
export function sendMessage(
  { descriptor, family, proto }: Target,
  buffers: Uint8Array[],
  ancillary: readonly AncillaryMessage[],
  flags: number,
  address: AddressInput | null,
): Operation<number> {
  const control = encodeAncillary(ancillary);
  const sockaddr = address === null ? null : Buffer.alloc(MAX_ADDRESS_LENGTH);
  const length =
    address === null || sockaddr === null
      ? 0
      : encodeAddressInto(family, proto, address, sockaddr, interfaceNames);
  return {
    syscall: 'sendmsg',
    direction: 'write',
    immediate: isImmediate(flags),
    ...(address === null ? {} : { address }),
    attempt() {
      const count = native.sendmsg(descriptor.fd, buffers, 0, control, flags, sockaddr, length);
      if (count === -(EAGAIN as number)) return WOULD_BLOCK;
      if (count < 0) {
        throw descriptor.error('sendmsg', -count, address === null ? undefined : { address });
      }
      descriptor.writer.charge(count);
      return count;
    },
  };
}

// recvmmsg and sendmmsg: many datagrams a system call. UDP_SEGMENT and UDP_GRO, where the kernel
// does the splitting and joining, are worth more than the batch itself (docs/performance.md).

import { native } from '@sockeye/native';
import {
  type Address,
  type AddressInput,
  decodeAddress,
  encodeAddressInto,
  MAX_ADDRESS_LENGTH,
} from '../address/index.ts';
import {
  EAGAIN,
  EINVAL,
  EIO,
  EMSGSIZE,
  IPPROTO_UDP,
  SOCK_DGRAM,
  AF_INET,
  AF_INET6,
} from '../constants/index.ts';
import { invalidType } from '../errors/index.ts';
import { type AncillaryMessage, checkAncillary } from './ancillary.ts';
import { interfaceNames } from './interface-names.ts';
import { sendMessage } from './message.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate, type Source } from './receive.ts';
import { copyBytes } from './scratch.ts';
import type { Target } from './send.ts';

/** What one recvmmsg or sendmmsg takes at most (kBatch of calls-message.cc). */
export const MAX_BATCH = 64;
const ADDRESS_BYTES = 4 + MAX_ADDRESS_LENGTH;
const META_WORDS = 3;
const SEND_WORDS = 5;
// The largest UDP payload over IPv4 (65,535 less both headers); the kernel's own limit for one send.
const MAX_SEGMENTED_BYTES = 65_507;
// UDP_MAX_SEGMENTS of linux/udp.h; newer kernels take 128.
const MAX_SEGMENTS = 64;

/** A datagram of a batch. */
export interface ReceivedDatagram<From = Address> {
  readonly data: Buffer;
  readonly address: From | null;
  /** MSG_TRUNC when the datagram was longer than there was room. */
  readonly flags: number;
  /** With UDP_GRO: `data` is several datagrams of this many bytes each, the last maybe shorter. */
  readonly segmentSize?: number;
}

/** A datagram to be sent with others. */
export interface DatagramToSend<To = AddressInput> {
  readonly data: Uint8Array;
  readonly address?: To | undefined;
  readonly ancillary?: readonly AncillaryMessage[] | undefined;
}

const meta = new Int32Array(MAX_BATCH * META_WORDS);
const addresses = Buffer.alloc(MAX_BATCH * ADDRESS_BYTES);
let scratch = Buffer.alloc(0);

/** Memory of this thread for one batch; grows to the largest that was asked for, at most 4 MiB. */
function batchScratch(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  return scratch;
}

/** `recvmmsg`: what is there now, at least one datagram. */
export function receiveBatch(
  { descriptor, proto }: Source,
  count: number,
  size: number,
  flags: number,
): Operation<ReceivedDatagram[]> {
  const wanted = Math.min(count, MAX_BATCH);
  return {
    syscall: 'recvmmsg',
    direction: 'read',
    immediate: isImmediate(flags),
    attempt() {
      const buffer = batchScratch(wanted * size);
      const received = native.recvmmsg(descriptor.fd, buffer, size, wanted, flags, addresses, meta);
      if (received === -(EAGAIN as number)) return WOULD_BLOCK;
      if (received < 0) throw descriptor.error('recvmmsg', -received);
      const messages: ReceivedDatagram[] = [];
      for (let i = 0; i < received; i++) messages.push(datagram(buffer, i, size, proto));
      descriptor.reader.charge(messages.reduce((sum, { data }) => sum + data.length, 0));
      return messages;
    },
  };
}

function datagram(buffer: Buffer, i: number, size: number, proto: number): ReceivedDatagram {
  const at = i * ADDRESS_BYTES;
  const bytes = Math.min(meta[i * META_WORDS] as number, size);
  const segmentSize = meta[i * META_WORDS + 2] as number;
  return {
    data: copyBytes(buffer, i * size, bytes),
    address: decodeAddress(
      addresses.subarray(at + 4, at + ADDRESS_BYTES),
      addresses.readUInt32LE(at),
      {
        proto,
        interfaces: interfaceNames,
      },
    ),
    flags: meta[i * META_WORDS + 1] as number,
    ...(segmentSize > 0 && segmentSize < bytes ? { segmentSize } : {}),
  };
}

/** Messages with every field read once and checked. */
export function checkMessages(value: unknown): DatagramToSend[] {
  if (!Array.isArray(value)) throw invalidType('messages', 'an array of { data, address }', value);
  return value.map((item: unknown, i) => {
    if (typeof item !== 'object' || item === null) {
      throw invalidType(`messages[${i}]`, '{ data, address }', item);
    }
    const { data, address, ancillary } = item as DatagramToSend;
    if (!(data instanceof Uint8Array))
      throw invalidType(`messages[${i}].data`, 'a Uint8Array', data);
    return { data, address, ancillary: ancillary === undefined ? [] : checkAncillary(ancillary) };
  });
}

const words = new Int32Array(MAX_BATCH * SEND_WORDS);

/**
 * `sendmmsg`. On UDP, neighbours of one size to one address leave as one segmented send, which the
 * kernel (or the card) splits; where it can't (EIO, EINVAL, EMSGSIZE), they leave one by one.
 *
 * Waits until the first message is taken and gives how many were.
 */
export function sendBatch(
  target: Target & { readonly type: number },
  messages: readonly DatagramToSend[],
  flags: number,
): Operation<number> {
  const udp =
    target.type === SOCK_DGRAM &&
    (target.family === AF_INET || target.family === AF_INET6) &&
    (target.proto === 0 || target.proto === IPPROTO_UDP);
  let segmented = udp;
  let sent = 0;
  return {
    syscall: 'sendmmsg',
    direction: 'write',
    immediate: isImmediate(flags),
    attempt() {
      while (sent < messages.length) {
        const count = sendSome(target, messages, sent, flags, segmented);
        if (typeof count !== 'number') return sent > 0 ? sent : count;
        if (count < 0) {
          if (segmented && [EIO, EINVAL, EMSGSIZE].includes(-count)) {
            segmented = false;
            continue;
          }
          if (sent > 0) return sent;
          throw target.descriptor.error('sendmmsg', -count);
        }
        sent += count;
      }
      return sent;
    },
  };
}

/** One system call from message `from` on: how many left, or -errno. */
function sendSome(
  target: Target,
  messages: readonly DatagramToSend[],
  from: number,
  flags: number,
  segmented: boolean,
): Attempt<number> {
  const first = messages[from] as DatagramToSend;
  if ((first.ancillary?.length ?? 0) > 0) {
    const { data, address = null, ancillary = [] } = first;
    const result = sendMessage(target, [data], ancillary, flags, address).attempt();
    return typeof result === 'number' ? 1 : result;
  }
  const runs = layOut(target, messages, from, segmented);
  const count = native.sendmmsg(
    target.descriptor.fd,
    scratch,
    words,
    runs.length,
    flags,
    addresses,
  );
  if (count === -(EAGAIN as number)) return WOULD_BLOCK;
  if (count < 0) return count;
  let sent = 0;
  for (const run of runs.slice(0, count)) sent += run;
  target.descriptor.writer.charge(sent * 1024);
  return sent;
}

/** Copies messages to the scratch and fills in `words`; gives how many messages each send has. */
function layOut(
  target: Target,
  messages: readonly DatagramToSend[],
  from: number,
  segmented: boolean,
): number[] {
  const runs: number[] = [];
  let used = 0;
  let at = from;
  while (at < messages.length && runs.length < MAX_BATCH) {
    const { data, address, ancillary } = messages[at] as DatagramToSend;
    if ((ancillary?.length ?? 0) > 0) break;
    const length = segmented ? runLength(messages, at) : 1;
    const bytes =
      data.length * (length - 1) + (messages[at + length - 1] as DatagramToSend).data.length;
    if (used + bytes > MAX_BATCH * MAX_SEGMENTED_BYTES && used > 0) break;
    const base = used;
    reserve(used + bytes);
    for (let i = at; i < at + length; i++) {
      const { data: part } = messages[i] as DatagramToSend;
      scratch.set(part, used);
      used += part.length;
    }
    const slot = runs.length * ADDRESS_BYTES;
    words[runs.length * SEND_WORDS] = base;
    words[runs.length * SEND_WORDS + 1] = bytes;
    words[runs.length * SEND_WORDS + 2] = slot;
    words[runs.length * SEND_WORDS + 3] =
      address === undefined || address === null
        ? 0
        : encodeAddressInto(
            target.family,
            target.proto,
            address,
            addresses.subarray(slot, slot + ADDRESS_BYTES),
            interfaceNames,
          );
    words[runs.length * SEND_WORDS + 4] = length > 1 ? data.length : 0;
    runs.push(length);
    at += length;
  }
  return runs;
}

/** Makes room in the scratch and keeps what it has. */
function reserve(bytes: number): void {
  if (scratch.length >= bytes) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes, scratch.length * 2, 64 * 1024));
  larger.set(scratch);
  scratch = larger;
}

/** How many messages from `at` on can leave as one segmented send. */
function runLength(messages: readonly DatagramToSend[], at: number): number {
  const { data, address } = messages[at] as DatagramToSend;
  let bytes = data.length;
  let length = 1;
  while (data.length > 0 && length < MAX_SEGMENTS && at + length < messages.length) {
    const next = messages[at + length] as DatagramToSend;
    const fits =
      next.data.length > 0 &&
      next.data.length <= data.length &&
      (next.ancillary?.length ?? 0) === 0 &&
      sameAddress(next.address, address) &&
      bytes + next.data.length <= MAX_SEGMENTED_BYTES;
    if (!fits) break;
    bytes += next.data.length;
    length++;
    // Only the last segment may be shorter.
    if (next.data.length < data.length) break;
  }
  return length;
}

function sameAddress(a: AddressInput | undefined, b: AddressInput | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const [left, right] = [a, b] as { host?: string; port?: number; scopeId?: number }[];
  return (
    left?.host !== undefined &&
    left.host === right?.host &&
    left.port === right.port &&
    left.scopeId === right.scopeId
  );
}

// sendmmsg: many datagrams a system call. UDP_SEGMENT, where the kernel does the splitting, is worth
// more than the batch itself (docs/performance.md).

import { native } from '@sockeye/native';
import { type AddressInput, encodeAddressInto } from '../address/index.ts';
import { parseInetHost } from '../address/numeric-host.ts';
import { AF_INET, EAGAIN, EINVAL, EIO, EMSGSIZE } from '../constants/index.ts';
import { invalidType } from '../errors/index.ts';
import { type AncillaryMessage, checkAncillary } from './ancillary.ts';
import { interfaceNames } from './interface-names.ts';
import { isUdp } from './is-udp.ts';
import { sendMessage } from './message.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate } from './receive.ts';
import { ADDRESS_BYTES, MAX_BATCH } from './receive-batch.ts';
import type { Target } from './send.ts';

// struct SendWord of calls-message.cc.
const SEND_WORDS = 6;
/** The address length that says: the address is in the words. */
const INET_IN_WORDS = -1;
// The largest UDP payload over IPv4 (65,535 less both headers); the kernel's own limit for one send.
const MAX_SEGMENTED_BYTES = 65_507;
// UDP_MAX_SEGMENTS of linux/udp.h; newer kernels take 128.
const MAX_SEGMENTS = 64;
const MAX_INT = 0x7fffffff;
const CANNOT_SEGMENT: ReadonlySet<number> = new Set([EIO, EINVAL, EMSGSIZE] as number[]);

/** A datagram to be sent with others. */
export interface DatagramToSend<To = AddressInput> {
  readonly data: Uint8Array;
  /** None on a connected socket. */
  readonly address?: To | null | undefined;
  readonly ancillary?: readonly AncillaryMessage[] | undefined;
}

/** The messages, checked. They are read again as they leave, and copied if they have to wait. */
export function checkMessages(value: unknown): readonly DatagramToSend[] {
  if (!Array.isArray(value)) throw invalidType('messages', 'an array of { data, address }', value);
  for (let i = 0; i < value.length; i++) {
    const item: unknown = value[i];
    if (typeof item !== 'object' || item === null) {
      throw invalidType(`messages[${i}]`, '{ data, address }', item);
    }
    const { data, ancillary } = item as DatagramToSend;
    if (!(data instanceof Uint8Array))
      throw invalidType(`messages[${i}].data`, 'a Uint8Array', data);
    if (ancillary !== undefined) checkAncillary(ancillary);
  }
  return value as DatagramToSend[];
}

const words = new Int32Array(MAX_BATCH * SEND_WORDS);
const addresses = Buffer.alloc(MAX_BATCH * ADDRESS_BYTES);
/** How many messages each send of the batch has. */
const runs = new Int32Array(MAX_BATCH);
let scratch = Buffer.alloc(0);

/**
 * `sendmmsg`. On UDP, neighbours of one size to one address leave as one segmented send, which the
 * kernel (or the card) splits; where it can't (EIO, EINVAL, EMSGSIZE), or the socket has UDP_SEGMENT
 * or UDP_CORK set, they leave one by one.
 *
 * Waits until the first message is taken and gives how many were.
 */
export class SendBatch implements Operation<number> {
  readonly syscall = 'sendmmsg';
  readonly direction = 'write';
  readonly immediate: ReturnType<typeof isImmediate>;
  #target: Target;
  #messages: readonly DatagramToSend[];
  #flags: number;
  #segmented: boolean;
  #sent = 0;

  constructor(
    target: Target & { readonly type: number },
    messages: readonly DatagramToSend[],
    flags: number,
  ) {
    this.immediate = isImmediate(flags);
    this.#target = target;
    this.#messages = messages;
    this.#flags = flags;
    this.#segmented = isUdp(target);
  }

  keep(): void {
    this.#messages = this.#messages.map(({ data, address, ancillary }) => ({
      data,
      address,
      ancillary: ancillary === undefined ? undefined : checkAncillary(ancillary),
    }));
  }

  attempt(): Attempt<number> {
    while (this.#sent < this.#messages.length) {
      const count = this.#sendSome();
      if (typeof count !== 'number') return this.#sent > 0 ? this.#sent : count;
      if (count >= 0) this.#sent += count;
      else if (this.#segmented && CANNOT_SEGMENT.has(-count)) this.#segmented = false;
      else if (this.#sent > 0) break;
      else throw this.#target.descriptor.error('sendmmsg', -count);
    }
    return this.#sent;
  }

  /** One system call: how many messages left, or -errno. */
  #sendSome(): Attempt<number> {
    const { descriptor } = this.#target;
    const first = this.#messages[this.#sent] as DatagramToSend;
    if (hasAncillary(first)) {
      const { data, address = null, ancillary = [] } = first;
      const message = sendMessage(this.#target, [data], ancillary, this.#flags, address);
      const result = message.attempt();
      return typeof result === 'number' ? 1 : result;
    }
    let buffer = bytesAround(first.data);
    let laid = buffer === undefined ? 0 : this.#layOut(buffer.buffer);
    if (laid === 0) {
      laid = this.#layOut(undefined);
      buffer = scratch;
    }
    const count = native.sendmmsg(
      descriptor.fd,
      buffer as Uint8Array,
      words,
      laid,
      this.#flags,
      addresses,
    );
    if (count === -(EAGAIN as number)) return WOULD_BLOCK;
    if (count < 0) return count;
    let sent = 0;
    for (let i = 0; i < count; i++) sent += runs[i] as number;
    descriptor.writer.charge(sent * 1024);
    return sent;
  }

  /**
   * Fills in `words` and `runs` from the next message on.
   *
   * @param memory where all the bytes lie as they are to leave; undefined copies them to the scratch
   * @returns how many sends there are; 0 where they don't all lie in `memory`
   */
  #layOut(memory: ArrayBufferLike | undefined): number {
    const messages = this.#messages;
    let used = 0;
    let at = this.#sent;
    let count = 0;
    for (; at < messages.length && count < MAX_BATCH; count++) {
      const message = messages[at] as DatagramToSend;
      const { data } = message;
      if (count > 0 && hasAncillary(message)) break;
      const length = this.#segmented ? runLength(messages, at) : 1;
      const last = length === 1 ? data : (messages[at + length - 1] as DatagramToSend).data;
      const bytes = data.length * (length - 1) + last.length;
      if (memory === undefined) {
        if (used + bytes > MAX_BATCH * MAX_SEGMENTED_BYTES && used > 0) break;
        reserve(used + bytes);
        copyRun(messages, at, length, used);
      } else if (!liesIn(memory, messages, at, length)) return 0;
      const word = count * SEND_WORDS;
      words[word] = memory === undefined ? used : data.byteOffset;
      words[word + 1] = bytes;
      words[word + 2] = length > 1 ? data.length : 0;
      this.#setAddress(count, message.address);
      used += bytes;
      runs[count] = length;
      at += length;
    }
    return count;
  }

  #setAddress(index: number, address: AddressInput | null | undefined): void {
    const { family, proto } = this.#target;
    const word = index * SEND_WORDS + 3;
    if (address === undefined || address === null) {
      words[word] = 0;
      return;
    }
    const { host, port } = address as { host?: unknown; port?: unknown };
    const value = family === AF_INET && typeof host === 'string' ? parseInetHost(host) : -1;
    if (value >= 0 && isPort(port) && !('family' in address)) {
      words[word] = INET_IN_WORDS;
      words[word + 1] = port;
      words[word + 2] = value;
      return;
    }
    const slot = addresses.subarray(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES);
    words[word] = encodeAddressInto(family, proto, address, slot, interfaceNames);
  }
}

/** One comparison: whole, not negative, 16 bits. */
function isPort(port: unknown): port is number {
  return typeof port === 'number' && (port & 0xffff) === port;
}

function hasAncillary({ ancillary }: DatagramToSend): boolean {
  return ancillary !== undefined && ancillary.length > 0;
}

/** All of the memory that a datagram lies in, where a call can take it as it is. */
function bytesAround({ buffer }: Uint8Array): Uint8Array | undefined {
  const usable =
    buffer instanceof ArrayBuffer && buffer.byteLength > 0 && buffer.byteLength <= MAX_INT;
  return usable ? new Uint8Array(buffer) : undefined;
}

/** Whether the messages of a run lie in `memory`, one right behind the other. */
function liesIn(
  memory: ArrayBufferLike,
  messages: readonly DatagramToSend[],
  from: number,
  length: number,
): boolean {
  let { byteOffset } = (messages[from] as DatagramToSend).data;
  for (let i = from; i < from + length; i++) {
    const { data } = messages[i] as DatagramToSend;
    if (data.buffer !== memory || data.byteOffset !== byteOffset) return false;
    byteOffset += data.length;
  }
  return true;
}

function copyRun(
  messages: readonly DatagramToSend[],
  from: number,
  length: number,
  to: number,
): void {
  let used = to;
  for (let i = from; i < from + length; i++) {
    const { data } = messages[i] as DatagramToSend;
    scratch.set(data, used);
    used += data.length;
  }
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
      sameAddress(next.address, address) &&
      next.data.length > 0 &&
      next.data.length <= data.length &&
      !hasAncillary(next) &&
      bytes + next.data.length <= MAX_SEGMENTED_BYTES;
    if (!fits) break;
    bytes += next.data.length;
    length++;
    // Only the last segment may be shorter.
    if (next.data.length < data.length) break;
  }
  return length;
}

function sameAddress(
  a: AddressInput | null | undefined,
  b: AddressInput | null | undefined,
): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  const left = a as { host?: string; port?: number; scopeId?: number };
  const right = b as { host?: string; port?: number; scopeId?: number };
  return (
    left.port === right.port &&
    left.host !== undefined &&
    left.host === right.host &&
    left.scopeId === right.scopeId
  );
}

// recvmmsg: many datagrams a system call, from the kernel or from those that an iteration has
// received ahead.

import { native } from '@sockeye/native';
import { type Address, decodeAddress, MAX_ADDRESS_LENGTH } from '../address/index.ts';
import { formatIpv4 } from '../address/ipv4-text.ts';
import { EAGAIN } from '../constants/index.ts';
import { makeView } from '../codec/make-view.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import { isImmediate, type Source } from './receive.ts';
import { copyBytes, dropLater } from './scratch.ts';

/** A datagram of a batch. */
export interface ReceivedDatagram<From = Address> {
  readonly data: Buffer;
  readonly address: From | null;
  /** MSG_TRUNC when the datagram was longer than there was room. */
  readonly flags: number;
  /** With UDP_GRO: `data` is several datagrams of this many bytes each, the last maybe shorter. */
  readonly segmentSize?: number;
}

/** What one recvmmsg or sendmmsg takes at most (kBatch of calls-message.cc). */
export const MAX_BATCH = 64;
/** A sockaddr and its length before it, as recvmmsg leaves them. */
export const ADDRESS_BYTES = 4 + MAX_ADDRESS_LENGTH;
// struct BatchWord of calls-message.cc.
const [BYTES, FLAGS, SEGMENT_SIZE, PORT, HOST, OFFSET, BATCH_WORDS] = [0, 1, 2, 3, 4, 5, 6];
const meta = new Int32Array(MAX_BATCH * BATCH_WORDS);
const addresses = Buffer.alloc(MAX_BATCH * ADDRESS_BYTES);

// Where batches are received. What is handed out as it lies is cut off at the front.
let room = Buffer.alloc(0);
// What is handed out of it is collected young, so that the next takes its place in memory and cache.
// Measured, UDP_GRO's iteration: 0.36 us a datagram, with 4 MiB and V8's own collections 0.51.
const ROOM_BYTES = 2 * 1024 * 1024;
// Less than this is copied: small datagrams would keep a large room alive. Arbitrary.
const LEAST_HANDED_OUT = 32 * 1024;

/** How many messages of `size` bytes to receive into `room`; makes a new one for a fair number. */
function roomFor(count: number, size: number): number {
  if (size === 0) return count;
  const most = Math.min(count, Math.ceil(ROOM_BYTES / size));
  const fits = Math.min(most, Math.floor(room.length / size));
  if (fits * 4 >= most) return fits;
  room = Buffer.allocUnsafeSlow(Math.max(most * size, ROOM_BYTES));
  return most;
}

/** `recvmmsg`: what is there now, at least one datagram. */
export class ReceiveBatch implements Operation<ReceivedDatagram[]> {
  readonly syscall = 'recvmmsg';
  readonly direction = 'read';
  readonly immediate: ReturnType<typeof isImmediate>;
  /** How many the last call asked for: fewer say that the kernel had no more. */
  wanted = 0;
  #source: Source;
  #count: number;
  #size: number;
  #flags: number;

  constructor(source: Source, count: number, size: number, flags: number) {
    this.immediate = isImmediate(flags);
    this.#source = source;
    this.#count = Math.min(count, MAX_BATCH);
    this.#size = size;
    this.#flags = flags;
  }

  attempt(): Attempt<ReceivedDatagram[]> {
    const kept = keptMany(this.#source.descriptor, this.#count, this.#size, this.#flags);
    if (kept !== undefined) return kept;
    const received = this.fromKernel();
    if (received === WOULD_BLOCK) return received;
    noteEmptied(this.#source.descriptor, received.length, this.wanted, this.#flags);
    return received;
  }

  /** From the kernel, past what was received ahead. */
  fromKernel(): ReceivedDatagram[] | typeof WOULD_BLOCK {
    this.wanted = roomFor(this.#count, this.#size);
    const received = receiveMany(this.#source, room, this.#size, this.wanted, this.#flags, true);
    if (received === WOULD_BLOCK) return received;
    const data = this.#keep(received);
    const { buffer, byteOffset } = data;
    const messages: ReceivedDatagram[] = [];
    for (let at = 0; at < received * BATCH_WORDS; at += BATCH_WORDS) {
      const start = meta[at + OFFSET] as number;
      const bytes = Math.min(meta[at + BYTES] as number, this.#size);
      const view = makeView(buffer, byteOffset + start, bytes);
      messages.push(datagram(view, at, this.#source.proto));
    }
    return messages;
  }

  /**
   * The datagrams in memory of their own, as `meta` has them: copied, or where they fill at least
   * half of their room the room itself, for a copy of large ones costs more than their receipt.
   */
  #keep(received: number): Buffer {
    const last = (received - 1) * BATCH_WORDS;
    const end =
      (meta[last + OFFSET] as number) + Math.min(meta[last + BYTES] as number, this.#size);
    if (end * 2 < received * this.#size || end < LEAST_HANDED_OUT) return copyBytes(room, 0, end);
    dropLater(end);
    const data = room;
    room = room.subarray(end);
    return data;
  }
}

function keptMany(
  descriptor: Descriptor,
  count: number,
  size: number,
  flags: number,
): ReceivedDatagram[] | undefined {
  if (descriptor.ahead === undefined || isImmediate(flags) === 'error queue') return undefined;
  return descriptor.ahead.many(count, size, flags);
}

/** Fewer than were wanted: the next receive waits for an event, without a call in vain. */
function noteEmptied(
  descriptor: Descriptor,
  received: number,
  wanted: number,
  flags: number,
): void {
  if (received < wanted && flags === 0 && descriptor.sendsDatagrams) {
    descriptor.reader.ready = false;
  }
}

/** `recvmmsgInto`: the datagrams stay where the kernel put them, `size` bytes for each. */
export class ReceiveBatchInto implements Operation<ReceivedDatagram[]> {
  readonly syscall = 'recvmmsg';
  readonly direction = 'read';
  readonly immediate: ReturnType<typeof isImmediate>;
  #source: Source;
  #buffer: Uint8Array;
  #size: number;
  #flags: number;

  constructor(source: Source, buffer: Uint8Array, size: number, flags: number) {
    this.immediate = isImmediate(flags);
    this.#source = source;
    this.#buffer = buffer;
    this.#size = size;
    this.#flags = flags;
  }

  attempt(): Attempt<ReceivedDatagram[]> {
    const buffer = this.#buffer;
    const size = this.#size;
    const count = Math.min(Math.floor(buffer.length / size), MAX_BATCH);
    const kept = keptMany(this.#source.descriptor, count, size, this.#flags);
    if (kept !== undefined) return kept.map((message, i) => this.#placed(message, i));
    const wanted = Math.max(count, 1);
    const received = receiveMany(this.#source, buffer, size, wanted, this.#flags, false);
    if (received === WOULD_BLOCK) return received;
    noteEmptied(this.#source.descriptor, received, wanted, this.#flags);
    return roomsOf(buffer, size).messages(received, this.#source.proto);
  }

  /** A datagram that was received ahead, in its slot. */
  #placed(message: ReceivedDatagram, i: number): ReceivedDatagram {
    const { data } = message;
    const start = this.#buffer.byteOffset + i * this.#size;
    const view = Buffer.from(this.#buffer.buffer, start, data.length);
    data.copy(view);
    return { ...message, data: view };
  }
}

// What the last batch in a buffer was: making a view takes longer than receiving 64 bytes.
const roomsOfBuffers = new WeakMap<Uint8Array, Rooms>();

function roomsOf(buffer: Uint8Array, size: number): Rooms {
  let rooms = roomsOfBuffers.get(buffer);
  if (rooms?.size !== size) {
    rooms = new Rooms(buffer, size);
    roomsOfBuffers.set(buffer, rooms);
  }
  return rooms;
}

/**
 * The rooms of a caller's buffer with the last message in each. Of a stream of datagrams most are as
 * the one before in their room but for their bytes: then it is the same message.
 */
class Rooms {
  readonly size: number;
  #memory: ArrayBufferLike;
  #start: number;
  #last: ReceivedDatagram[] = [];
  #seen = new Int32Array(MAX_BATCH * BATCH_WORDS).fill(-1);

  constructor({ buffer, byteOffset }: Uint8Array, size: number) {
    this.#memory = buffer;
    this.#start = byteOffset;
    this.size = size;
  }

  /** The first `received` messages, which `meta` describes. */
  messages(received: number, proto: number): ReceivedDatagram[] {
    for (let i = 0, at = 0; i < received; i++, at += BATCH_WORDS) {
      if (!this.#isAsBefore(at)) this.#last[i] = this.#make(i, at, proto);
    }
    return this.#last.slice(0, received);
  }

  #isAsBefore(at: number): boolean {
    const seen = this.#seen;
    return (
      meta[at + HOST] === seen[at + HOST] &&
      meta[at + PORT] === seen[at + PORT] &&
      meta[at + BYTES] === seen[at + BYTES] &&
      meta[at + FLAGS] === seen[at + FLAGS] &&
      meta[at + SEGMENT_SIZE] === seen[at + SEGMENT_SIZE] &&
      // Only an IPv4 sender is in the words.
      (meta[at + PORT] as number) >= 0
    );
  }

  #make(i: number, at: number, proto: number): ReceivedDatagram {
    const bytes = meta[at + BYTES] as number;
    const kept = bytes === this.#seen[at + BYTES] ? this.#last[i]?.data : undefined;
    for (let word = at; word < at + BATCH_WORDS; word++) this.#seen[word] = meta[word] as number;
    const start = this.#start + i * this.size;
    return datagram(
      kept ?? Buffer.from(this.#memory, start, Math.min(bytes, this.size)),
      at,
      proto,
    );
  }
}

/** One recvmmsg(2), described in `meta` and `addresses`. */
function receiveMany(
  { descriptor }: Source,
  buffer: Uint8Array,
  size: number,
  count: number,
  flags: number,
  pack: boolean,
): number | typeof WOULD_BLOCK {
  const received = native.recvmmsg(
    descriptor.fd,
    buffer,
    size,
    count,
    flags,
    addresses,
    meta,
    pack,
  );
  if (received === -(EAGAIN as number)) return WOULD_BLOCK;
  if (received < 0) throw descriptor.error('recvmmsg', -received);
  let bytes = 0;
  for (let i = 0; i < received; i++) bytes += meta[i * BATCH_WORDS] as number;
  descriptor.reader.chargeDatagrams(received, bytes);
  return received;
}

/** Who sent it. An IPv4 address is in `meta`, and the text of its host in a cache. */
function senderOf(at: number, proto: number): Address | null {
  const port = meta[at + PORT] as number;
  if (port >= 0) return { host: formatIpv4((meta[at + HOST] as number) >>> 0), port };
  const slot = (at / BATCH_WORDS) * ADDRESS_BYTES;
  const sockaddr = addresses.subarray(slot + 4, slot + ADDRESS_BYTES);
  return decodeAddress(sockaddr, addresses.readUInt32LE(slot), {
    proto,
    interfaces: interfaceNames,
  });
}

/** The message that `meta` describes from word `at` on. */
function datagram(data: Buffer, at: number, proto: number): ReceivedDatagram {
  const address = senderOf(at, proto);
  const flags = meta[at + FLAGS] as number;
  const segmentSize = meta[at + SEGMENT_SIZE] as number;
  return segmentSize > 0 && segmentSize < data.length
    ? { data, address, flags, segmentSize }
    : { data, address, flags };
}

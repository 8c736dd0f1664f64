import { native } from '@sockeye/native';
import { type Address, decodeAddress } from '../address/index.ts';
import { EAGAIN, MSG_DONTWAIT, MSG_ERRQUEUE, MSG_WAITALL } from '../constants/index.ts';
import { checkBytes, checkInteger, outOfRange, SocketError } from '../errors/index.ts';
import { copyInto, DatagramsAhead } from './datagrams-ahead.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Attempt, isDone, type Operation, WOULD_BLOCK, YIELD } from './operation.ts';
import {
  addressOut,
  addressOutBytes,
  copyBytes,
  dropLater,
  receiveScratch,
  SCRATCH_BYTES,
} from './scratch.ts';

// The kernel takes sizes up to this (MAX_RW_COUNT is a page less than 2^31).
const MAX_BYTES = 0x7fffffff;
// One receive on a stream may be short, so there is no need to allocate more at once.
const MAX_STREAM_BYTES = 1024 * 1024;

/** What every receive needs of its socket. */
export interface Source {
  readonly descriptor: Descriptor;
  readonly proto: number;
  /** With a timeout of null MSG_WAITALL is kept over several calls, as a blocking recv(2) does. */
  readonly waitsForAll: boolean;
}

export function checkSize(size: unknown): number {
  return checkInteger('size', size, 0, MAX_BYTES);
}

export function checkFlags(flags: unknown): number {
  return checkInteger('flags', flags, -0x80000000, 0xffffffff) | 0;
}

/** The part of a buffer that an …Into receive fills: `size` bytes, or all for 0 and undefined. */
export function checkTarget(buffer: unknown, size: unknown): [Uint8Array, number] {
  const target = checkBytes('buffer', buffer);
  const wanted = size === undefined ? 0 : checkSize(size);
  if (wanted > target.length)
    throw outOfRange('size', `at most the buffer's ${target.length}`, wanted);
  return [target, wanted === 0 ? target.length : wanted];
}

export function isImmediate(flags: number): false | 'in turn' | 'error queue' {
  if ((flags & (MSG_ERRQUEUE as number)) !== 0) return 'error queue';
  return (flags & (MSG_DONTWAIT as number)) !== 0 && 'in turn';
}

/** A receive of nothing makes no call, so that it waits for nobody: as one from the error queue. */
function immediateFor(size: number, flags: number): ReturnType<typeof isImmediate> {
  return size === 0 ? 'error queue' : isImmediate(flags);
}

/** The address that the last call left in the scratch. */
export function lastAddress(proto: number): Address | null {
  return decodeAddress(addressOutBytes, addressOut.readUInt32LE(0), {
    proto,
    interfaces: interfaceNames,
  });
}

/** One recv(2) into a buffer; notes what it says about the next. */
export function receiveOnce(
  descriptor: Descriptor,
  buffer: Uint8Array,
  offset: number,
  size: number,
  flags: number,
): number | typeof WOULD_BLOCK {
  descriptor.throwKept();
  const kept = DatagramsAhead.take(descriptor, flags);
  if (kept !== undefined) return copyInto(kept, buffer, offset, size, flags);
  const count = native.recv(descriptor.fd, buffer, offset, size, flags);
  if (count < 0) {
    if (count === -(EAGAIN as number)) return WOULD_BLOCK;
    throw descriptor.error('recv', -count);
  }
  descriptor.noteReceived(count, size, flags === 0);
  return count;
}

// Memory for a large receive that has yet to be used.
let spare: Buffer | undefined;

/** One recv(2) of up to `size` bytes: the bytes as a Buffer, large ones received where they stay. */
export function receiveBuffer(descriptor: Descriptor, size: number): Buffer | typeof WOULD_BLOCK {
  const room = Math.min(descriptor.expected, size);
  if (room === 0) {
    const count = receiveOnce(descriptor, receiveScratch, 0, size, 0);
    return count === WOULD_BLOCK ? count : copyBytes(receiveScratch, 0, count);
  }
  const memory = spare?.length === room ? spare : Buffer.allocUnsafeSlow(room);
  spare = memory;
  const count = receiveOnce(descriptor, memory, 0, room, 0);
  if (count === WOULD_BLOCK) return count;
  // A long buffer is not kept alive for the sake of a short result.
  if (count < room / 2) return copyBytes(memory, 0, count);
  spare = undefined;
  dropLater(room);
  return memory.subarray(0, count);
}

/**
 * A plain `recv` on a stream: what most receives are. A class, because a server has one for each
 * connection that waits, and it is a quarter of what the closures of the general form take.
 */
class StreamReceive implements Operation<Buffer> {
  readonly want: number;
  #descriptor: Descriptor;

  constructor(descriptor: Descriptor, want: number) {
    this.#descriptor = descriptor;
    this.want = want;
  }

  get syscall(): 'recv' {
    return 'recv';
  }

  get direction(): 'read' {
    return 'read';
  }

  get receive(): this {
    return this;
  }

  attempt(): Attempt<Buffer> {
    return receiveBuffer(this.#descriptor, this.want);
  }

  take(slab: Buffer, offset: number, bytes: number): Buffer {
    return copyBytes(slab, offset, bytes);
  }
}

/** The same for `recvInto`. */
export class StreamReceiveInto implements Operation<number> {
  readonly want: number;
  #descriptor: Descriptor;
  #buffer: Uint8Array;
  #size: number;

  constructor(descriptor: Descriptor, buffer: Uint8Array, size: number) {
    this.#descriptor = descriptor;
    this.#buffer = buffer;
    this.#size = size;
    this.want = Math.min(size, SCRATCH_BYTES);
  }

  /** Whether it would be the same for these arguments: the whole of the buffer, and no flags. */
  isFor(buffer: Uint8Array, size: number | undefined, flags: number): boolean {
    return (
      buffer === this.#buffer && size === undefined && flags === 0 && buffer.length === this.#size
    );
  }

  get syscall(): 'recv' {
    return 'recv';
  }

  get direction(): 'read' {
    return 'read';
  }

  get receive(): this {
    return this;
  }

  attempt(): Attempt<number> {
    return receiveOnce(this.#descriptor, this.#buffer, 0, this.#size, 0);
  }

  take(slab: Buffer, offset: number, bytes: number): number {
    if (this.#buffer.length < bytes) {
      const { length } = this.#buffer;
      throw outOfRange('buffer', 'as long as it was: it was detached or shrunk', length);
    }
    slab.copy(this.#buffer, 0, offset, offset + bytes);
    return bytes;
  }
}

/** `recvInto`: the buffer is looked up at each attempt. */
export function receiveInto(
  source: Source,
  buffer: Uint8Array,
  size: number,
  flags: number,
): Operation<number> {
  const waitAll = (flags & (MSG_WAITALL as number)) !== 0 && source.waitsForAll;
  if (waitAll) return receiveWhole(source, buffer, size, flags);
  if (flags === 0 && source.descriptor.isStream && size > 0) {
    return new StreamReceiveInto(source.descriptor, buffer, size);
  }
  return {
    syscall: 'recv',
    direction: 'read',
    // Python returns without a call for nothing, and recv(2) would wait for something.
    attempt: () => (size === 0 ? 0 : receiveOnce(source.descriptor, buffer, 0, size, flags)),
    immediate: immediateFor(size, flags),
  };
}

/**
 * MSG_WAITALL over several calls. What came before an error or an abort is the result, as recv(2)
 * has it; the error waits for the next receive.
 */
function receiveWhole(
  source: Source,
  buffer: Uint8Array,
  size: number,
  flags: number,
): Operation<number> {
  const { descriptor } = source;
  let filled = 0;
  const attempt = (): Attempt<number> => {
    while (filled < size) {
      let count: number | typeof WOULD_BLOCK;
      try {
        count = receiveOnce(descriptor, buffer, filled, size - filled, flags);
      } catch (error) {
        if (filled === 0 || !(error instanceof SocketError)) throw error;
        descriptor.keepError(error);
        return filled;
      }
      if (count === WOULD_BLOCK) return WOULD_BLOCK;
      filled += count;
      if (count === 0) break;
      if (filled < size && !descriptor.reader.hasTurn()) return YIELD;
    }
    return filled;
  };
  return {
    syscall: 'recv',
    direction: 'read',
    attempt,
    immediate: immediateFor(size, flags),
    partial: () => (filled > 0 ? filled : undefined),
  };
}

/** `recv`: a buffer is made only once something came, and of its size. */
export function receive(source: Source, size: number, flags: number): Operation<Buffer> {
  const plainStream = flags === 0 && source.descriptor.isStream && size > 0;
  if (plainStream && size <= SCRATCH_BYTES) return new StreamReceive(source.descriptor, size);
  if (size <= SCRATCH_BYTES && (flags & (MSG_WAITALL as number)) === 0) {
    return {
      syscall: 'recv',
      direction: 'read',
      immediate: immediateFor(size, flags),
      attempt() {
        if (size === 0) return Buffer.alloc(0);
        const count = receiveOnce(source.descriptor, receiveScratch, 0, size, flags);
        // With MSG_TRUNC the count is the datagram's length, which may be more than came.
        return count === WOULD_BLOCK ? count : copyBytes(receiveScratch, 0, Math.min(count, size));
      },
    };
  }
  return receiveLarge(
    source,
    plainStream ? Math.min(size, MAX_STREAM_BYTES) : size,
    flags,
    plainStream,
  );
}

function receiveLarge(
  source: Source,
  size: number,
  flags: number,
  plainStream: boolean,
): Operation<Buffer> {
  let buffer: Buffer | undefined;
  let inner: Operation<number> | undefined;
  return {
    syscall: 'recv',
    direction: 'read',
    immediate: immediateFor(size, flags),
    attempt() {
      buffer ??= Buffer.allocUnsafeSlow(size);
      inner ??= receiveInto(source, buffer, size, flags);
      const count = inner.attempt();
      if (!isDone(count)) {
        // Nothing came yet: an idle socket holds no buffer. (MSG_WAITALL may have a part in it.)
        if ((flags & (MSG_WAITALL as number)) === 0) buffer = inner = undefined;
        return count;
      }
      // A long buffer is not kept alive for the sake of a short result.
      return count < size / 2
        ? copyBytes(buffer, 0, count)
        : buffer.subarray(0, Math.min(count, size));
    },
    partial() {
      const count = inner?.partial?.();
      return count === undefined ? undefined : copyBytes(buffer as Buffer, 0, count);
    },
    ...(plainStream ? { receive: { want: SCRATCH_BYTES, take: copyBytes, always: true } } : {}),
  };
}

/** `recvfromInto`, and what `recvfrom` is made of. */
export function receiveFromInto(
  source: Source,
  buffer: Uint8Array,
  size: number,
  flags: number,
): Operation<[number, Address | null]> {
  const { descriptor, proto } = source;
  return {
    syscall: 'recvfrom',
    direction: 'read',
    immediate: isImmediate(flags),
    attempt() {
      const kept = DatagramsAhead.take(descriptor, flags);
      if (kept !== undefined) return [copyInto(kept, buffer, 0, size, flags), kept.address];
      const count = native.recvfrom(descriptor.fd, buffer, 0, size, flags, addressOut);
      if (count < 0) {
        if (count === -(EAGAIN as number)) return WOULD_BLOCK;
        throw descriptor.error('recvfrom', -count);
      }
      descriptor.reader.charge(count);
      return [count, lastAddress(proto)];
    },
  };
}

/** `recvfrom`. */
export function receiveFrom(
  source: Source,
  size: number,
  flags: number,
): Operation<[Buffer, Address | null]> {
  const small = size <= SCRATCH_BYTES;
  return {
    syscall: 'recvfrom',
    direction: 'read',
    immediate: isImmediate(flags),
    attempt() {
      const buffer = small ? receiveScratch : Buffer.allocUnsafeSlow(size);
      const received = receiveFromInto(source, buffer, size, flags).attempt();
      if (!Array.isArray(received)) return received;
      const [count, address] = received;
      return [copyBytes(buffer, 0, Math.min(count, size)), address];
    },
  };
}

import { native } from '@sockeye/native';
import { type Address, decodeAddress } from '../address/index.ts';
import { EAGAIN, MSG_DONTWAIT, MSG_ERRQUEUE, MSG_WAITALL } from '../constants/index.ts';
import { checkInteger, invalidType, outOfRange } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import {
  addressOut,
  addressOutBytes,
  copyBytes,
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
  if (!(buffer instanceof Uint8Array)) throw invalidType('buffer', 'a Uint8Array', buffer);
  const wanted = size === undefined ? 0 : checkSize(size);
  if (wanted > buffer.length)
    throw outOfRange('size', `at most the buffer's ${buffer.length}`, wanted);
  return [buffer, wanted === 0 ? buffer.length : wanted];
}

export function isImmediate(flags: number): boolean {
  return (flags & ((MSG_DONTWAIT as number) | (MSG_ERRQUEUE as number))) !== 0;
}

/** The address that the last call left in the scratch. */
export function lastAddress(proto: number): Address | null {
  return decodeAddress(addressOutBytes, addressOut.readUInt32LE(0), {
    proto,
    interfaces: interfaceNames,
  });
}

/** One recv(2) into a buffer; notes what it says about the next. */
function receiveOnce(
  { descriptor }: Source,
  syscall: string,
  buffer: Uint8Array,
  offset: number,
  size: number,
  flags: number,
): number | typeof WOULD_BLOCK {
  const count = native.recv(descriptor.fd, buffer, offset, size, flags);
  if (count < 0) {
    if (count === -(EAGAIN as number)) return WOULD_BLOCK;
    throw descriptor.error(syscall, -count);
  }
  if (count < size && count > 0 && flags === 0) descriptor.drained();
  descriptor.reader.charge(count);
  return count;
}

/** `recvInto`: the buffer is looked up at each attempt. */
export function receiveInto(
  source: Source,
  buffer: Uint8Array,
  size: number,
  flags: number,
): Operation<number> {
  const waitAll = (flags & (MSG_WAITALL as number)) !== 0 && source.waitsForAll;
  let filled = 0;
  const attempt = (): Attempt<number> => {
    // Python returns without a call, and recv(2) of nothing would wait for something.
    if (size === 0) return 0;
    for (;;) {
      const count = receiveOnce(source, 'recv', buffer, filled, size - filled, flags);
      if (count === WOULD_BLOCK) return WOULD_BLOCK;
      filled += count;
      if (!waitAll || count === 0 || filled >= size) return filled;
    }
  };
  return {
    syscall: 'recv',
    direction: 'read',
    attempt,
    immediate: isImmediate(flags),
    ...(flags === 0 && source.descriptor.isStream && size > 0
      ? { receive: { want: Math.min(size, SCRATCH_BYTES), take: takeInto(buffer) } }
      : {}),
  };
}

function takeInto(buffer: Uint8Array) {
  return (slab: Buffer, offset: number, bytes: number): number => {
    // Throws where the buffer was detached or shrunk meanwhile.
    buffer.set(slab.subarray(offset, offset + bytes));
    return bytes;
  };
}

/** `recv`: a buffer is made only once something came, and of its size. */
export function receive(source: Source, size: number, flags: number): Operation<Buffer> {
  const plainStream = flags === 0 && source.descriptor.isStream && size > 0;
  if (size <= SCRATCH_BYTES && (flags & (MSG_WAITALL as number)) === 0) {
    return {
      syscall: 'recv',
      direction: 'read',
      immediate: isImmediate(flags),
      attempt() {
        if (size === 0) return Buffer.alloc(0);
        const count = receiveOnce(source, 'recv', receiveScratch, 0, size, flags);
        // With MSG_TRUNC the count is the datagram's length, which may be more than came.
        return count === WOULD_BLOCK ? count : copyBytes(receiveScratch, 0, Math.min(count, size));
      },
      ...(plainStream ? { receive: { want: size, take: copyBytes } } : {}),
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
    immediate: isImmediate(flags),
    attempt() {
      buffer ??= Buffer.allocUnsafeSlow(size);
      inner ??= receiveInto(source, buffer, size, flags);
      const count = inner.attempt();
      if (typeof count !== 'number') {
        // Nothing came yet: an idle socket holds no buffer. (MSG_WAITALL may have a part in it.)
        if ((flags & (MSG_WAITALL as number)) === 0) buffer = inner = undefined;
        return count;
      }
      // A long buffer is not kept alive for the sake of a short result.
      return count < size / 2
        ? copyBytes(buffer, 0, count)
        : buffer.subarray(0, Math.min(count, size));
    },
    ...(plainStream ? { receive: { want: SCRATCH_BYTES, take: copyBytes } } : {}),
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

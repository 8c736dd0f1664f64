import { MSG_PEEK } from '../../constants/index.ts';
import { invalidType, outOfRange } from '../../errors/index.ts';
import type { FileProcess } from './file-process.ts';
import type { FileReader } from './file-reader.ts';
import { IncompleteReadError } from './incomplete-read-error.ts';

// io.DEFAULT_BUFFER_SIZE of CPython 3.11.
export const DEFAULT_BUFFER_BYTES = 8192;
// A receive may be short, so that there is no need to allocate more for one.
const MAX_RECEIVE_BYTES = 1024 * 1024;
const EMPTY = Buffer.alloc(0);
const NEWLINE = Buffer.from('\n');

/**
 * Reads bytes through a buffer. With a buffer size of 0 it never receives more than was asked for,
 * so that another reader of the socket finds the rest; it then finds a line's end by MSG_PEEK.
 *
 * ```
 *   #memory  |  free  | what came, not yet read | free |
 *            0      #start                    #end
 * ```
 */
export class ByteReader implements FileReader<Buffer> {
  readonly #size: number;
  #memory = EMPTY;
  #start = 0;
  #end = 0;

  /** @param size of the buffer in bytes; 0 is unbuffered */
  constructor(size: number) {
    this.#size = size;
  }

  get #held(): number {
    return this.#end - this.#start;
  }

  /** `size` bytes, fewer at the end; unbuffered what one receive gives. */
  *read(size: number): FileProcess<Buffer | null> {
    if (this.#size === 0 && size >= 0) return yield* this.#readOnce(size);
    const wanted = size < 0 ? Number.POSITIVE_INFINITY : size;
    while (this.#held < wanted) {
      const count = yield* this.#receive(wanted - this.#held, false);
      if (count === null && this.#held === 0) return null;
      if (count === null || count === 0) break;
    }
    return this.#take(Math.min(wanted, this.#held));
  }

  *#readOnce(size: number): FileProcess<Buffer | null> {
    if (this.#held === 0 && size > 0 && (yield* this.#receive(size, true)) === null) return null;
    return this.#take(Math.min(size, this.#held));
  }

  /** A line with its '\n', cut after `size` bytes, or what is there before the end. */
  *readline(size: number): FileProcess<Buffer | null> {
    const limit = size < 0 ? Number.POSITIVE_INFINITY : size;
    const end = yield* this.#findEnd(NEWLINE, limit);
    if (end === 'waits' && this.#held === 0) return null;
    return this.#take(Math.min(typeof end === 'number' ? end : this.#held, limit));
  }

  *readExactly(size: number): FileProcess<Buffer | null> {
    while (this.#held < size) {
      const count = yield* this.#receive(size - this.#held, false);
      if (count === null) return null;
      if (count === 0) throw new IncompleteReadError(this.#take(this.#held), size);
    }
    return this.#take(size);
  }

  *readUntil(delimiter: Uint8Array | string, maxLength: number): FileProcess<Buffer | null> {
    const end = yield* this.#findEnd(checkDelimiter(delimiter), maxLength);
    if (end === 'waits') return null;
    if (end === 'ended') throw new IncompleteReadError(this.#take(this.#held));
    if (end === 'exceeded' || end > maxLength) throw beyondMaxLength(maxLength);
    return this.#take(end);
  }

  /** Fills the buffer, unless the stream ends; unbuffered with what one receive gives. */
  *readInto(target: Uint8Array): FileProcess<number | null> {
    if (this.#size === 0 && this.#held === 0) {
      return target.length === 0 ? 0 : yield { kind: 'read', buffer: target, flags: 0 };
    }
    const bytes = yield* this.read(target.length);
    if (bytes !== null) target.set(bytes);
    return bytes === null ? null : bytes.length;
  }

  /** What is there, or the next receive; empty at the end. */
  *readSome(): FileProcess<Buffer | null> {
    if (this.#held === 0 && (yield* this.#receive(1, false)) === null) return null;
    return this.#take(this.#held);
  }

  /** Where the delimiter ends, counted from the first unread byte; else why it isn't there. */
  *#findEnd(
    delimiter: Uint8Array,
    limit: number,
  ): FileProcess<number | 'ended' | 'exceeded' | 'waits'> {
    for (let searched = 0; ; ) {
      const held = this.#memory.subarray(this.#start, this.#end);
      const at = held.indexOf(delimiter, Math.max(searched - delimiter.length + 1, 0));
      if (at >= 0) return at + delimiter.length;
      searched = held.length;
      if (searched >= limit) return 'exceeded';
      const count =
        this.#size === 0
          ? yield* this.#receiveThrough(delimiter, limit - searched)
          : yield* this.#receive(1, false);
      if (count === null) return 'waits';
      if (count === 0) return 'ended';
    }
  }

  /** Receives once; the buffer grows with what came, not with what is wanted. */
  *#receive(wanted: number, once: boolean): FileProcess<number | null> {
    const most = once ? MAX_RECEIVE_BYTES : Math.max(this.#held, DEFAULT_BUFFER_BYTES);
    const size = Math.max(this.#size, Math.min(wanted, most));
    const count = yield { kind: 'read', buffer: this.#room(size), flags: 0 };
    if (count !== null) this.#end += count;
    return count;
  }

  /** Receives up to the end of the delimiter, and nothing that follows it. */
  *#receiveThrough(delimiter: Uint8Array, limit: number): FileProcess<number | null> {
    const room = this.#room(Math.min(limit, DEFAULT_BUFFER_BYTES));
    const seen = yield { kind: 'read', buffer: room, flags: MSG_PEEK };
    if (seen === null || seen === 0) return seen;
    const from = Math.max(this.#held - delimiter.length + 1, 0);
    const at = this.#memory.subarray(this.#start, this.#end + seen).indexOf(delimiter, from);
    const wanted = at < 0 ? seen : at + delimiter.length - this.#held;
    const count = yield { kind: 'read', buffer: room.subarray(0, wanted), flags: 0 };
    if (count !== null) this.#end += count;
    return count;
  }

  /** `size` free bytes behind what came. */
  #room(size: number): Buffer {
    if (this.#end + size > this.#memory.length) {
      const held = this.#held;
      if (held + size > this.#memory.length) {
        const memory = Buffer.allocUnsafeSlow(held + size);
        this.#memory.copy(memory, 0, this.#start, this.#end);
        this.#memory = memory;
      } else {
        this.#memory.copyWithin(0, this.#start, this.#end);
      }
      this.#start = 0;
      this.#end = held;
    }
    return this.#memory.subarray(this.#end, this.#end + size);
  }

  /** Hands out `size` bytes: a copy, or the memory itself where they are most of it. */
  #take(size: number): Buffer {
    const bytes = this.#memory.subarray(this.#start, this.#start + size);
    this.#start += size;
    if (size * 2 > this.#memory.length) {
      this.#memory = Buffer.from(this.#memory.subarray(this.#start, this.#end));
      this.#end = this.#memory.length;
      this.#start = 0;
      return bytes;
    }
    if (this.#start === this.#end) this.#start = this.#end = 0;
    return Buffer.from(bytes);
  }
}

function checkDelimiter(delimiter: Uint8Array | string): Uint8Array {
  if (!(delimiter instanceof Uint8Array))
    throw invalidType('delimiter', 'a Uint8Array, since the file is binary', delimiter);
  if (delimiter.length === 0) throw outOfRange('delimiter', 'at least 1 byte long', delimiter);
  return delimiter;
}

/** The error for a delimiter that doesn't come; what came stays in the file. */
export function beyondMaxLength(maxLength: number): RangeError {
  const message = `Cannot read until the delimiter: it is not within maxLength ${maxLength}`;
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

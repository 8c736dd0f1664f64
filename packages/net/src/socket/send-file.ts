import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { native } from '@sockeye/native';
import { EAGAIN, EINVAL, ENOSYS, EOPNOTSUPP } from '../constants/index.ts';
import { checkInteger, invalidType, invalidValue, outOfRange } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import { type Attempt, BUSY, type Operation, WOULD_BLOCK, YIELD } from './operation.ts';
import { hasPeerOnThisHost } from './peer-on-this-host.ts';

/** What `sendfile` sends from: a path, a FileHandle or a descriptor. */
export type FileSource = string | URL | number | { readonly fd: number };

// One system call's share, so that a turn ends in time (sendfile(2) itself takes 2 GiB).
const CHUNK_BYTES = 256 * 1024;
const FALLBACK_BYTES = 64 * 1024;
// What the thread pool reads at once of a file that is not in memory. Arbitrary.
const READ_AHEAD_BYTES = 1024 * 1024;
const CANNOT_SENDFILE: ReadonlySet<number> = new Set([EINVAL, ENOSYS, EOPNOTSUPP] as number[]);

// Where a file is read to and sent from, within one attempt.
let chunk: Buffer | undefined;

export function checkRange(offset: unknown, count: unknown): [number, number] {
  const start = checkInteger('offset', offset, 0, Number.MAX_SAFE_INTEGER);
  if (count === undefined || count === null) return [start, Number.POSITIVE_INFINITY];
  if (typeof count !== 'number' || !Number.isInteger(count)) {
    throw invalidType('count', 'a positive integer', count);
  }
  if (count <= 0) throw outOfRange('count', 'a positive integer', count);
  return [start, count];
}

function descriptorOf(file: FileSource): number | undefined {
  if (typeof file === 'number') return checkInteger('file', file, 0, 0x7fffffff);
  if (typeof file === 'string' || file instanceof URL) return undefined;
  if (typeof file === 'object' && file !== null && typeof file.fd === 'number') return file.fd;
  throw invalidType('file', 'a path, a FileHandle or a descriptor', file);
}

/** Runs `use` with the file's descriptor; a path is opened for it and closed after it. */
export async function withFile<Result>(
  file: FileSource,
  use: (fd: number) => Promise<Result>,
): Promise<Result> {
  const fd = descriptorOf(file);
  if (fd !== undefined) return use(fd);
  const handle = await open(file as string | URL, 'r');
  try {
    return await use(handle.fd);
  } finally {
    await handle.close();
  }
}

/** The same, blocking the thread. */
export function withFileSync<Result>(file: FileSource, use: (fd: number) => Result): Result {
  const fd = descriptorOf(file);
  if (fd !== undefined) return use(fd);
  const opened = openSync(file as string | URL, 'r');
  try {
    return use(opened);
  } finally {
    closeSync(opened);
  }
}

/**
 * The operation behind `sendfile`: sends `count` bytes of a file from `offset`, or up to its end.
 *
 * sendfile(2) waits for the disk whatever the socket's flags say. So what is not in memory is read
 * there by the thread pool first; only a Sync call waits itself.
 *
 * To a peer on this host reading 256 KiB and sending them is cheaper by three tenths than
 * sendfile(2), which goes from page to page (docs/performance.md). To others sendfile(2) leaves the
 * copy to the network card. What the socket doesn't take is read again, so that all can share one chunk of memory.
 */
export class SendFile implements Operation<number> {
  readonly syscall = 'sendfile';
  readonly direction = 'write';
  #descriptor: Descriptor;
  #file: number;
  #offset: number;
  #count: number;
  #sent = 0;
  #readInstead: boolean;
  #copies: boolean;
  #seekable: boolean;
  #buffer: Buffer | undefined;
  #buffered: [start: number, end: number] = [0, 0];
  #mayBlock: boolean;
  #isReading = false;
  /** Up to here the file was read by the thread pool. */
  #readTo = 0;

  constructor(
    descriptor: Descriptor,
    file: number,
    offset: number,
    count: number,
    mayBlock: boolean,
  ) {
    this.#descriptor = descriptor;
    this.#file = file;
    this.#offset = offset;
    this.#count = count;
    this.#mayBlock = mayBlock;
    // sendfile(2) takes what can be mapped; a pipe or a terminal is read.
    const stats = fstatSync(file);
    this.#readInstead = !stats.isFile();
    this.#seekable = stats.isFile() || stats.isBlockDevice();
    this.#copies =
      stats.isFile() && descriptor.origin.isTcp(descriptor.fd) && hasPeerOnThisHost(descriptor.fd);
  }

  attempt(): Attempt<number> {
    while (this.#sent < this.#count) {
      if (!this.#descriptor.writer.hasTurn()) return YIELD;
      if (this.#waitsForDisk()) return BUSY;
      const result = this.#sendOnce();
      if (result === -(EAGAIN as number)) return WOULD_BLOCK;
      if (result < 0) throw this.#descriptor.error('sendfile', -result);
      if (result === 0) break;
      this.#sent += result;
      this.#descriptor.writer.charge(result);
    }
    this.#leavePosition();
    return this.#sent;
  }

  hurry(): void {
    this.#mayBlock = true;
  }

  describe(error: Error): void {
    this.#leavePosition();
    Object.assign(error, { bytesSent: this.#sent });
  }

  get #room(): number {
    return Math.min(this.#count - this.#sent, CHUNK_BYTES);
  }

  #waitsForDisk(): boolean {
    if (this.#mayBlock || this.#readInstead) return false;
    if (this.#isReading) return true;
    const at = this.#offset + this.#sent;
    const room = this.#room;
    if (at + room <= this.#readTo || native.isInMemory(this.#file, at, room)) return false;
    void this.#readAhead(at);
    return true;
  }

  /** What fails here fails for sendfile(2) too, which tells it. */
  async #readAhead(at: number): Promise<void> {
    this.#isReading = true;
    await native.readAhead(this.#file, at, READ_AHEAD_BYTES);
    this.#isReading = false;
    this.#readTo = at + READ_AHEAD_BYTES;
    this.#descriptor.writer.run();
  }

  #sendOnce(): number {
    if (this.#readInstead) return this.#copy();
    return this.#copies ? this.#sendChunk() : this.#send();
  }

  #sendChunk(): number {
    chunk ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let count: number;
    try {
      count = readSync(this.#file, chunk, 0, this.#room, this.#offset + this.#sent);
    } catch {
      // sendfile(2) can (O_DIRECT), or says as the socket's error why not.
      this.#copies = false;
      return this.#send();
    }
    return count === 0 ? 0 : native.send(this.#descriptor.fd, chunk, 0, count, 0);
  }

  #send(): number {
    const room = this.#room;
    const at = this.#offset + this.#sent;
    const result = native.sendfile(this.#descriptor.fd, this.#file, at, room);
    if (this.#sent > 0 || !CANNOT_SENDFILE.has(-result)) return result;
    this.#readInstead = true;
    return this.#copy();
  }

  /** read(2) and send(2), for files that sendfile(2) can't take. */
  #copy(): number {
    this.#buffer ??= Buffer.allocUnsafeSlow(FALLBACK_BYTES);
    let [start, end] = this.#buffered;
    if (start === end) {
      const room = Math.min(this.#count - this.#sent, FALLBACK_BYTES);
      start = 0;
      end = readSync(this.#file, this.#buffer, 0, room, this.#readPosition());
      if (end === 0) return 0;
    }
    const result = native.send(this.#descriptor.fd, this.#buffer, start, end - start, 0);
    this.#buffered = [start + Math.max(result, 0), end];
    return result;
  }

  /** Where to read: a pipe, a socket or a terminal has no positions. */
  #readPosition(): number | null {
    return this.#seekable ? this.#offset + this.#sent : null;
  }

  /** The file's position ends behind what was sent, as Python leaves it. */
  #leavePosition(): void {
    if (this.#seekable) native.lseek(this.#file, this.#offset + this.#sent);
  }
}

/** Arguments that only the socket knows to be wrong. */
export function checkSendfile(isStream: boolean, timeout: number | null): void {
  if (!isStream) throw invalidValue('sendfile', 'a SOCK_STREAM socket', 'a socket of another type');
  if (timeout === 0) throw invalidValue('sendfile', 'a socket that may wait', 'timeout 0');
}

import { EAGAIN } from '../../constants/index.ts';
import {
  checkBytes,
  checkInteger,
  checkString,
  invalidState,
  invalidType,
  invalidValue,
  SocketError,
} from '../../errors/index.ts';
import { ByteReader, DEFAULT_BUFFER_BYTES } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { type ParsedMode, parseFileMode } from './file-mode.ts';
import type { FileProcess } from './file-process.ts';
import type { FileReader } from './file-reader.ts';
import { FileTurns } from './file-turns.ts';
import { checkNewline, type Newline } from './newline.ts';
import { type FileSocket, RawFile } from './raw-file.ts';
import { type TextEncoding, textEncoding } from './text-encoding.ts';
import type { TextErrors } from './text-errors.ts';
import { TextReader } from './text-reader.ts';
import { TextWriter } from './text-writer.ts';

const MAX_INT = 0x7fffffff;

/** How `makefile` makes a file. */
export interface SocketFileOptions {
  /** Bytes of the buffer of each direction; -1 (the default) is 8192, 0 is none (binary only). */
  readonly buffering?: number | null | undefined;
  /**
   * Of a file in text mode: 'utf-8' (the default), 'latin1', 'ascii', 'utf-16le' and every other
   * name that TextDecoder takes. The East Asian encodings can only be read.
   */
  readonly encoding?: string | null | undefined;
  /** What happens to invalid bytes and characters: 'strict' (the default) fails. */
  readonly errors?: TextErrors | null | undefined;
  /**
   * Where a line of text ends. null (the default): at '\n', '\r' or '\r\n', each read as '\n'.
   * '': at any of them, read as it came. Else at the one given, which '\n' is written as, too.
   */
  readonly newline?: Newline | undefined;
}

/** The last parameter of a file's methods that wait. */
export interface FileWaitOptions {
  /** Ends the wait: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadUntilOptions extends FileWaitOptions {
  /** Bytes (characters in text mode) that the result may have; default Infinity. */
  readonly maxLength?: number | undefined;
}

/**
 * A socket as a file, as Python's `makefile` gives one: buffered, of bytes or of text.
 *
 * Methods of one direction run in the order they were called; a Sync twin while one of the others
 * waits is an error. Where the socket's timeout is 0 a read gives what is there, or null for
 * nothing; after the timeout ran out, reads beyond what had come fail for good. A failed or aborted
 * read loses nothing. A file keeps the socket's descriptor open until it is closed; what is
 * buffered for writing and not flushed is lost when a file is dropped unclosed.
 *
 * Source: Python's socket.makefile, io.BufferedReader, io.BufferedWriter, io.TextIOWrapper.
 *
 * @example
 * const [left, right] = socketpair();
 * await using file = left.makefile('rw');
 * await right.sendall(Buffer.from('one\r\ntwo\n'));
 * assert.equal(await file.readline(), 'one\n');
 * await file.write('three\n');
 * await file.flush();
 * assert.equal((await right.recv(100)).toString(), 'three\n');
 */
export class SocketFile<Data extends Buffer | string = Buffer>
  implements AsyncIterable<Data>, Iterable<Data>, AsyncDisposable, Disposable
{
  /** The mode as it was given to `makefile`. */
  readonly mode: string;
  /** The encoding's name; null for bytes. */
  readonly encoding: string | null;
  readonly #parsed: ParsedMode;
  readonly #raw: RawFile;
  readonly #release: () => void;
  readonly #reader: FileReader<Data>;
  readonly #bytes: ByteReader;
  readonly #writer: TextWriter | ByteWriter;
  readonly #reads = new FileTurns();
  readonly #writes = new FileTurns();
  readonly #closing = new AbortController();
  #closed = false;

  /**
   * Use `makefile`.
   *
   * @param release tells the socket that the file is closed
   */
  constructor(
    socket: FileSocket,
    mode: string,
    options: SocketFileOptions | undefined,
    release: () => void,
  ) {
    const parsed = parseFileMode(mode);
    const { size, text } = checkOptions(parsed, options);
    this.mode = mode;
    this.encoding = text === undefined ? null : text.encoding.label;
    this.#parsed = parsed;
    this.#raw = new RawFile(socket);
    this.#release = release;
    this.#bytes = new ByteReader(size);
    const reader =
      text === undefined
        ? this.#bytes
        : new TextReader(this.#bytes, text.encoding.decoder(text.errors), text.newline);
    this.#reader = reader as unknown as FileReader<Data>;
    const writer = new ByteWriter(size);
    this.#writer = text === undefined ? writer : new TextWriter(writer, text);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The descriptor's number, as Python's files have it for a name; -1 once closed. */
  get name(): number {
    return this.#closed ? -1 : this.#raw.fileno();
  }

  /**
   * The socket's descriptor.
   *
   * @throws Error ERR_INVALID_STATE once the file is closed
   */
  fileno(): number {
    this.#checkOpen();
    return this.#raw.fileno();
  }

  /** Whether the mode has reading. Like the next two: ERR_INVALID_STATE once closed. */
  readable(): boolean {
    this.#checkOpen();
    return this.#parsed.reads;
  }

  /** Whether the mode has writing. */
  writable(): boolean {
    this.#checkOpen();
    return this.#parsed.writes;
  }

  /** false: a socket has no position. */
  seekable(): boolean {
    this.#checkOpen();
    return false;
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads.
   *
   * @param size bytes, or characters of text: that many come unless the stream ends; an unbuffered
   *   file gives what one receive gives. -1 (the default) reads to the end
   * @returns empty at the end of the stream; null where nothing is there and the timeout is 0
   * @throws Error ERR_INVALID_STATE closed or opened for writing; SocketError; TimeoutError;
   *   Error ERR_ENCODING_INVALID_ENCODED_DATA, from then on every time
   */
  read(size?: number | null, options?: FileWaitOptions): Promise<Data | null> {
    return this.#read(() => this.#reader.read(checkSize(size)), options);
  }

  /** `read`, blocking the thread. */
  readSync(size?: number | null): Data | null {
    return this.#readSync(() => this.#reader.read(checkSize(size)));
  }

  /**
   * Reads a line, with its end.
   *
   * @param size where the line is cut: bytes, or characters of text; -1 (the default) nowhere
   * @returns as `read`; the last line may lack its end
   * @throws as `read`
   */
  readline(size?: number | null, options?: FileWaitOptions): Promise<Data | null> {
    return this.#read(() => this.#reader.readline(checkSize(size)), options);
  }

  /** `readline`, blocking the thread. */
  readlineSync(size?: number | null): Data | null {
    return this.#readSync(() => this.#reader.readline(checkSize(size)));
  }

  /**
   * Reads into a buffer until it is full or the stream ends; unbuffered what one receive gives.
   *
   * @returns bytes written; 0 at the end of the stream; null as for `read`
   * @throws as `read`; Error ERR_INVALID_STATE in text mode
   */
  readInto(buffer: Uint8Array, options?: FileWaitOptions): Promise<number | null> {
    return this.#read(() => this.#readInto(buffer), options);
  }

  /** `readInto`, blocking the thread. */
  readIntoSync(buffer: Uint8Array): number | null {
    return this.#readSync(() => this.#readInto(buffer));
  }

  #readInto(buffer: Uint8Array): FileProcess<number | null> {
    if (!this.#parsed.binary) throw invalidState('Cannot read into a buffer: the file is text');
    return this.#bytes.readInto(checkBytes('buffer', buffer));
  }

  /**
   * Reads exactly `size` bytes, or characters of text.
   *
   * @returns null when fewer are there and the timeout is 0; they stay
   * @throws as `read`; IncompleteReadError, with what came, when the stream ends before
   */
  readExactly(size: number, options?: FileWaitOptions): Promise<Data | null> {
    return this.#read(
      () => this.#reader.readExactly(checkInteger('size', size, 0, MAX_INT)),
      options,
    );
  }

  /** `readExactly`, blocking the thread. */
  readExactlySync(size: number): Data | null {
    return this.#readSync(() => this.#reader.readExactly(checkInteger('size', size, 0, MAX_INT)));
  }

  /**
   * Reads up to a delimiter, and with it.
   *
   * @param delimiter bytes, or a string in text mode
   * @returns null when it isn't there and the timeout is 0; what is, stays
   * @throws as `read`; IncompleteReadError as for `readExactly`; RangeError when the delimiter is
   *   not within `maxLength`, after which everything is still there
   */
  readUntil(delimiter: Uint8Array | string, options?: ReadUntilOptions): Promise<Data | null> {
    return this.#read(() => this.#readUntil(delimiter, options), options);
  }

  /** `readUntil`, blocking the thread. */
  readUntilSync(delimiter: Uint8Array | string, options?: ReadUntilOptions): Data | null {
    return this.#readSync(() => this.#readUntil(delimiter, options));
  }

  #readUntil(
    delimiter: Uint8Array | string,
    { maxLength = Number.POSITIVE_INFINITY }: ReadUntilOptions = {},
  ): FileProcess<Data | null> {
    if (maxLength !== Number.POSITIVE_INFINITY) checkInteger('maxLength', maxLength, 0, MAX_INT);
    return this.#reader.readUntil(delimiter, maxLength);
  }

  // ── writing ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Writes: into the buffer, and what doesn't fit there to the socket.
   *
   * @param data bytes, or a string in text mode; it belongs to the file until the promise settles
   * @returns its bytes, or characters of text; unbuffered what one send took, which may be less,
   *   and null where that would wait and the timeout is 0
   * @throws Error ERR_INVALID_STATE closed or opened for reading; SocketError, TimeoutError with
   *   `bytesWritten`, which the file has taken; EAGAIN where the timeout is 0
   */
  write(
    data: Data extends string ? string : Uint8Array,
    options?: FileWaitOptions,
  ): Promise<number | null> {
    return this.#write(() => this.#taken(data), options);
  }

  /** `write`, blocking the thread. */
  writeSync(data: Data extends string ? string : Uint8Array): number | null {
    return this.#writeSync(() => this.#taken(data));
  }

  #taken(data: unknown): FileProcess<number | null> {
    if (this.#writer instanceof TextWriter) return this.#writer.write(checkString('data', data));
    return this.#writer.write(checkBytes('data', data));
  }

  /**
   * Sends what is buffered.
   *
   * @throws as `write`; what wasn't sent stays buffered
   */
  flush(options?: FileWaitOptions): Promise<void> {
    return this.#parsed.writes
      ? this.#write(() => this.#writer.flush(), options)
      : this.#open(() => Promise.resolve());
  }

  /** `flush`, blocking the thread. */
  flushSync(): void {
    if (this.#parsed.writes) this.#writeSync(() => this.#writer.flush());
    else this.#checkOpen();
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends what is buffered and closes the file; a second call does nothing. Writes that were called
   * before finish; reads that wait reject with ERR_INVALID_STATE. The file is closed even where
   * sending fails. It doesn't close the socket, unless that was closed and waits for its files.
   *
   * @throws as `flush`
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#abortReads();
    try {
      await this.#writes.run(() => this.#raw.run(this.#writer.flush()));
    } finally {
      this.#release();
    }
  }

  /** `close`, blocking the thread. */
  closeSync(): void {
    if (this.#closed) return;
    checkIdle(this.#writes, 'close');
    this.#closed = true;
    this.#abortReads();
    try {
      this.#raw.runSync(this.#writer.flush());
    } finally {
      this.#release();
    }
  }

  #abortReads(): void {
    this.#closing.abort(invalidState('Cannot read: the file was closed while the read waited'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.dispose](): void {
    this.closeSync();
  }

  /** Its lines, as `readline` gives them, to the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Data, void> {
    for (;;) {
      const line = lineOrEnd(await this.readline());
      if (line === undefined) return;
      yield line;
    }
  }

  /** Its lines, blocking the thread. */
  *[Symbol.iterator](): Generator<Data, void> {
    for (;;) {
      const line = lineOrEnd(this.readlineSync());
      if (line === undefined) return;
      yield line;
    }
  }

  // ── what the methods share ─────────────────────────────────────────────────────────────────────

  #read<Result>(make: () => FileProcess<Result>, options?: FileWaitOptions): Promise<Result> {
    return this.#open(() => {
      this.#checkMode(this.#parsed.reads, 'read');
      const signal = checkSignal(options);
      const process = make();
      const closing = this.#closing.signal;
      const either = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      return this.#reads.run(() => this.#raw.run(process, either), signal);
    });
  }

  #write<Result>(make: () => FileProcess<Result>, options?: FileWaitOptions): Promise<Result> {
    return this.#open(() => {
      this.#checkMode(this.#parsed.writes, 'write');
      const signal = checkSignal(options);
      const process = make();
      return this.#writes.run(() => this.#raw.run(process, signal), signal);
    });
  }

  /** Calls `start` if the file is open; what it throws rejects. */
  #open<Result>(start: () => Promise<Result>): Promise<Result> {
    try {
      this.#checkOpen();
      return start();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #readSync<Result>(make: () => FileProcess<Result>): Result {
    this.#checkOpen();
    this.#checkMode(this.#parsed.reads, 'read');
    checkIdle(this.#reads, 'read');
    return this.#raw.runSync(make());
  }

  #writeSync<Result>(make: () => FileProcess<Result>): Result {
    this.#checkOpen();
    this.#checkMode(this.#parsed.writes, 'write');
    checkIdle(this.#writes, 'write');
    return this.#raw.runSync(make());
  }

  #checkOpen(): void {
    if (this.#closed) throw invalidState('Cannot use the file: it is closed');
  }

  #checkMode(allowed: boolean, action: string): void {
    if (!allowed) throw invalidState(`Cannot ${action}: the file's mode is '${this.mode}'`);
  }
}

interface TextOptions {
  readonly encoding: TextEncoding;
  readonly errors: TextErrors;
  readonly newline: Newline;
}

function checkOptions(
  { binary, writes }: ParsedMode,
  options: unknown = {},
): { size: number; text: TextOptions | undefined } {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'an object', options);
  const { buffering, encoding, errors, newline } = options as SocketFileOptions;
  const size = checkInteger('buffering', buffering ?? -1, -0x80000000, MAX_INT);
  const bufferBytes = size < 0 ? DEFAULT_BUFFER_BYTES : size;
  // Python takes them with a binary mode and ignores them.
  if (binary) return { size: bufferBytes, text: undefined };
  if (size === 0) throw invalidValue('buffering', 'a buffer, since the file is text', size);
  const text = {
    encoding: textEncoding(encoding ?? 'utf-8'),
    errors: checkErrors(errors ?? 'strict'),
    newline: checkNewline(newline),
  };
  if (writes && text.encoding.encode(text.errors) === undefined)
    throw invalidValue('encoding', 'one that can be written, for this mode', encoding);
  return { size: bufferBytes, text };
}

function checkErrors(errors: unknown): TextErrors {
  if (errors === 'strict' || errors === 'ignore' || errors === 'replace') return errors;
  throw invalidValue('errors', "'strict', 'ignore' or 'replace'", errors);
}

function checkSize(size: number | null | undefined): number {
  return checkInteger('size', size ?? -1, -1, MAX_INT);
}

function checkSignal(options: FileWaitOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'an object', options);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidType('signal', 'an AbortSignal', signal);
  signal?.throwIfAborted();
  return signal;
}

function checkIdle(turns: FileTurns, action: string): void {
  if (turns.busy) throw invalidState(`Cannot ${action}: another call of this direction waits`);
}

function lineOrEnd<Data extends Buffer | string>(line: Data | null): Data | undefined {
  if (line === null) throw new SocketError('recv', EAGAIN);
  return line.length === 0 ? undefined : line;
}

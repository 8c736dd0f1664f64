import { constants, write } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { extname } from 'node:path';
import {
  type CaptureItem,
  type InterfaceItem,
  PcapngWriter,
  PcapWriter,
  type SectionItem,
} from '../dissect/index.ts';

/** How a capture is kept. */
export interface CaptureFileOptions {
  /** Default by the name: `pcap` where it ends in `.pcap`, else `pcapng`. */
  readonly format?: 'pcap' | 'pcapng';
  /** Begin another file before one exceeds this; default Infinity. A record larger than it gets a file of its own. */
  readonly maxFileBytes?: number;
  /** Begin another file with the first packet that is this much later than the file's first; default Infinity. */
  readonly maxFileSeconds?: number;
  /** Keep the newest so many of the files and remove the others; default Infinity. */
  readonly maxFiles?: number;
}

/** Where to write to, for those who want a pipe: the descriptor stays the caller's. */
export type CaptureFileTarget = string | number;

const FILE_MODE = 0o600;
// What is gathered before a write(2); arbitrary.
const FULL_BYTES = 1024 * 1024;
const { O_CREAT, O_TRUNC, O_WRONLY, O_NOCTTY } = constants;

/**
 * Writes captures to a file, or to a series of files: bytes, times (nanoseconds), comments,
 * statistics and secrets as they came.
 *
 * A file is the owner's alone (0600), one that existed before too. `write()` only gathers;
 * `flush()` brings what was gathered to the system, so that memory is bounded by whoever awaits it
 * when `isFull`. With `maxFileBytes` or `maxFileSeconds` the files are called `name.00001.pcapng`,
 * `name.00002.pcapng`, …, each complete with its section and interfaces.
 *
 * @example
 * ```ts
 * const file = await CaptureFile.create('/dev/null');
 * file.write({ type: 'section', format: 'pcapng', littleEndian: true });
 * await file.close();
 * assert.equal(file.bytesWritten, 28);
 * ```
 */
export class CaptureFile {
  readonly #target: CaptureFileTarget;
  readonly #format: 'pcap' | 'pcapng';
  readonly #limits: Required<Omit<CaptureFileOptions, 'format'>>;
  #writer: PcapngWriter | PcapWriter | undefined;
  #handle: FileHandle | undefined;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Where in the pending pieces another file begins. */
  #cuts: number[] = [];
  #fileBytes = 0;
  #fileStart: number | undefined;
  #bytesWritten = 0;
  #files: string[] = [];
  #number = 0;
  #section: SectionItem | undefined;
  #interfaces: InterfaceItem[] = [];

  private constructor(target: CaptureFileTarget, options: CaptureFileOptions) {
    this.#target = target;
    const byName = typeof target === 'string' && extname(target) === '.pcap' ? 'pcap' : 'pcapng';
    this.#format = options.format ?? byName;
    this.#limits = {
      maxFileBytes: options.maxFileBytes ?? Number.POSITIVE_INFINITY,
      maxFileSeconds: options.maxFileSeconds ?? Number.POSITIVE_INFINITY,
      maxFiles: options.maxFiles ?? Number.POSITIVE_INFINITY,
    };
  }

  /**
   * Opens the (first) file; what it held is gone.
   *
   * @param target a path, or a descriptor that stays the caller's
   * @throws Error with `code` EACCES, ENOENT, EISDIR, … from open(2)
   */
  static async create(
    target: CaptureFileTarget,
    options: CaptureFileOptions = {},
  ): Promise<CaptureFile> {
    const file = new CaptureFile(target, options);
    await file.#open();
    return file;
  }

  get format(): 'pcap' | 'pcapng' {
    return this.#format;
  }

  /** The files that exist, oldest first; none for a descriptor. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** Of all files, what is gathered but not written included. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Whether `flush()` is due. */
  get isFull(): boolean {
    return this.#pendingBytes >= FULL_BYTES;
  }

  /**
   * Gathers an item. pcap keeps packets of one link type only; other items are left out.
   *
   * @throws RangeError when a packet doesn't fit the format: another link type in pcap, an unknown
   *   interface in pcapng
   */
  write(item: CaptureItem): void {
    if (item.type === 'section') {
      this.#section = item;
      this.#interfaces = [];
    } else if (item.type === 'interface') this.#interfaces.push(item);
    if (item.type === 'packet') this.#rotateBefore(item.seconds + item.nanoseconds / 1e9);
    const record = this.#encode(item);
    if (this.#fileBytes + record.length > this.#limits.maxFileBytes && this.#hasPackets) {
      this.#cut();
      if (item.type === 'packet') this.#fileStart = item.seconds + item.nanoseconds / 1e9;
    }
    this.#push(record);
  }

  /**
   * Whether `writeRecords()` may be used: records are pcapng's, and a file that is to end at a limit
   * has to see each packet.
   */
  get takesRecords(): boolean {
    const { maxFileBytes, maxFileSeconds } = this.#limits;
    return (
      this.#format === 'pcapng' &&
      Math.min(maxFileBytes, maxFileSeconds) === Number.POSITIVE_INFINITY
    );
  }

  /**
   * Takes packets that are records of the format already, whole ones. They are not copied: the
   * memory is the caller's again after `flush()`.
   *
   * @throws RangeError where `takesRecords` is false
   */
  writeRecords(records: Uint8Array): void {
    if (!this.takesRecords) {
      throw new RangeError('Cannot write records: the file is no pcapng, or it rotates');
    }
    this.#push(records);
  }

  /**
   * Writes what was gathered. After a failure it is lost, and so is the rest of the file's.
   *
   * @throws Error with `code` ENOSPC, EPIPE, … from write(2)
   */
  async flush(): Promise<void> {
    const pending = this.#pending;
    const cuts = this.#cuts;
    this.#pending = [];
    this.#cuts = [];
    this.#pendingBytes = 0;
    let from = 0;
    for (const cut of cuts) {
      await this.#writeAll(pending.slice(from, cut));
      await this.#next();
      from = cut;
    }
    await this.#writeAll(pending.slice(from));
  }

  /** Flushes and closes; the descriptor that was given stays open. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#handle?.close();
      this.#handle = undefined;
    }
  }

  get #hasPackets(): boolean {
    return this.#fileStart !== undefined;
  }

  #rotateBefore(seconds: number): void {
    if (this.#fileStart !== undefined && seconds - this.#fileStart >= this.#limits.maxFileSeconds) {
      this.#cut();
    }
    this.#fileStart ??= seconds;
  }

  #cut(): void {
    this.#cuts.push(this.#pending.length);
    this.#fileBytes = 0;
    this.#fileStart = undefined;
    this.#writer = undefined;
    if (this.#section === undefined) return;
    for (const item of [this.#section, ...this.#interfaces]) this.#push(this.#encode(item));
  }

  #encode(item: CaptureItem): Uint8Array {
    if (this.#format === 'pcapng') {
      this.#writer ??= new PcapngWriter();
      return this.#writer.encode(item);
    }
    if (this.#writer === undefined) this.#beginPcap(item);
    return this.#writer?.encode(item) ?? new Uint8Array(0);
  }

  #beginPcap(item: CaptureItem): void {
    if (item.type !== 'interface') return;
    const writer = new PcapWriter({
      linkType: item.linkType,
      ...(item.snapLength > 0 ? { snapLength: item.snapLength } : {}),
    });
    this.#writer = writer;
    this.#push(writer.header());
  }

  #push(record: Uint8Array): void {
    if (record.length === 0) return;
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    this.#fileBytes += record.length;
    this.#bytesWritten += record.length;
  }

  async #open(): Promise<void> {
    if (typeof this.#target === 'number') return;
    const path = this.#path(++this.#number);
    this.#handle = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, FILE_MODE);
    if ((await this.#handle.stat()).isFile()) await this.#handle.chmod(FILE_MODE);
    this.#files.push(path);
  }

  async #next(): Promise<void> {
    if (this.#handle === undefined) return;
    await this.#handle.close();
    await this.#open();
    while (this.#files.length > this.#limits.maxFiles) await unlink(this.#files.shift()!);
  }

  #path(number: number): string {
    const path = String(this.#target);
    const { maxFileBytes, maxFileSeconds } = this.#limits;
    if (maxFileBytes === Number.POSITIVE_INFINITY && maxFileSeconds === Number.POSITIVE_INFINITY) {
      return path;
    }
    const extension = extname(path);
    const stem = path.slice(0, path.length - extension.length);
    return `${stem}.${String(number).padStart(5, '0')}${extension}`;
  }

  async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
    if (pieces.length === 0) return;
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    for (let at = 0; at < bytes.length; ) {
      at +=
        this.#handle === undefined
          ? await writeTo(this.#target as number, bytes.subarray(at))
          : (await this.#handle.write(bytes, at)).bytesWritten;
    }
  }
}

function writeTo(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

import type { TLSSocket } from 'node:tls';
import { TransferError } from '../transfer-error.ts';
import type { Wire } from './wire.ts';
import { takeRecords } from '../../socket/stream/take-records.ts';
import { YoungCollection } from '../../socket/young-collection.ts';

// Decrypted bytes that may wait for us before TLS stops reading: a block. The memory has room for as
// many again, so that what is decrypted already when reading stops always fits: records of 16 KiB.
const PAUSE_BYTES = 512 * 1024;
const STAGE_BYTES = 2 * PAUSE_BYTES;

// Small pieces that share a write. Arbitrary.
const JOINED_BYTES = 64 * 1024;

/** A piece that waits to be sent; the last of a frame settles its promise. */
interface Outgoing {
  readonly bytes: Uint8Array;
  readonly resolve?: () => void;
  readonly reject?: (error: Error) => void;
}

interface Target {
  readonly buffer: Buffer;
  readonly from: number;
  at: number;
  readonly to: number;
  resolve(filled: boolean): void;
  reject(error: Error): void;
}

/**
 * A connection that node:tls encrypts. A record's bytes go straight to where they are wanted, or are
 * copied to a stage: no record's own buffer outlives the turn it came in.
 */
export class TlsWire implements Wire {
  readonly encrypted = true;
  readonly peer: string;
  readonly #tls: TLSSocket;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  readonly #young = new YoungCollection();
  #from = 0;
  #to = 0;
  readonly #outgoing: Outgoing[] = [];
  readonly #gathered = Buffer.allocUnsafeSlow(JOINED_BYTES);
  #isSending = false;
  #whenSent: (() => void) | undefined;
  #target: Target | undefined;
  #isEnded = false;
  #isClosing = false;
  #reason: Error | undefined;

  constructor(tls: TLSSocket, peer: string) {
    this.#tls = tls;
    this.peer = peer;
    takeRecords(tls, (record) => {
      this.#onData(record);
      return !this.#isFull;
    });
    tls.on('end', () => this.#end());
    tls.on('close', () => this.#end());
    tls.on('error', (error) => {
      this.#reason ??= error;
      this.#end();
    });
  }

  /** Whether enough waits for us. Nothing waits that nobody will take. */
  get #isFull(): boolean {
    return !this.#isClosing && this.#to - this.#from > PAUSE_BYTES;
  }

  /** Goes on after records were refused. */
  #readOn(): void {
    // oxlint-disable-next-line no-underscore-dangle -- read() only calls it after a push() of the stream's own
    this.#tls._read(0);
  }

  #onData(chunk: Buffer): void {
    if (this.#isClosing) return;
    let rest = chunk;
    const target = this.#target;
    if (target !== undefined) {
      const count = rest.copy(target.buffer, target.at, 0, target.to - target.at);
      target.at += count;
      rest = rest.subarray(count);
      if (target.at === target.to) this.#settle()?.resolve(true);
    }
    if (rest.length > 0) this.#keep(rest);
    this.#young.dropped(chunk.length);
  }

  #keep(bytes: Buffer): void {
    if (this.#to + bytes.length > STAGE_BYTES) {
      this.#stage.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#to += bytes.copy(this.#stage, this.#to);
  }

  #settle(): Target | undefined {
    const target = this.#target;
    this.#target = undefined;
    return target;
  }

  #end(): void {
    this.#isEnded = true;
    const target = this.#settle();
    if (target === undefined) return;
    if (this.#reason !== undefined) target.reject(this.#reason);
    else if (target.at === target.from) target.resolve(false);
    else target.reject(this.#cut());
  }

  #cut(): Error {
    return new TransferError('connection', `Cannot receive: ${this.peer} left inside a frame`);
  }

  fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    const wasFull = this.#isFull;
    const at = from + this.#takeStaged(buffer, from, to);
    if (wasFull && !this.#isFull) this.#readOn();
    if (at === to) return Promise.resolve(true);
    if (this.#reason !== undefined) return Promise.reject(this.#reason);
    if (this.#isEnded) return at === from ? Promise.resolve(false) : Promise.reject(this.#cut());
    return new Promise((resolve, reject) => {
      this.#target = { buffer, from, at, to, resolve, reject };
    });
  }

  #takeStaged(buffer: Buffer, from: number, to: number): number {
    const count = this.#stage.copy(
      buffer,
      from,
      this.#from,
      Math.min(this.#to, this.#from + to - from),
    );
    this.#from += count;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    return count;
  }

  send(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const last = pieces.length - 1;
      pieces.forEach((bytes, i) => {
        this.#outgoing.push(i === last ? { bytes, resolve, reject } : { bytes });
      });
      if (this.#isSending) return;
      this.#isSending = true;
      // What is sent in one turn shares records and a system call.
      process.nextTick(() => this.#sendNext());
    });
  }

  /** One write at a time: several that wait node:tls would copy together, whatever their size. */
  #sendNext(): void {
    const pieces = this.#nextPieces();
    const [first] = pieces;
    if (first === undefined) {
      this.#isSending = false;
      this.#whenSent?.();
      return;
    }
    this.#tls.write(pieces.length === 1 ? first.bytes : this.#joined(pieces), (error) => {
      if (error) this.#refuse(pieces, this.#reason ?? error);
      else for (const { resolve } of pieces) resolve?.();
      this.#sendNext();
    });
  }

  #refuse(pieces: readonly Outgoing[], reason: Error): void {
    for (const { reject } of [...pieces, ...this.#outgoing.splice(0)]) reject?.(reason);
  }

  /** A large piece alone, or as many small ones as fit together. */
  #nextPieces(): Outgoing[] {
    let bytes = 0;
    const count = this.#outgoing.findIndex((piece) => (bytes += piece.bytes.length) > JOINED_BYTES);
    return this.#outgoing.splice(0, count < 0 ? this.#outgoing.length : Math.max(1, count));
  }

  /** A write is over when the next begins, so its memory can be used again. */
  #joined(pieces: readonly Outgoing[]): Buffer {
    let at = 0;
    for (const { bytes } of pieces) {
      this.#gathered.set(bytes, at);
      at += bytes.length;
    }
    return this.#gathered.subarray(0, at);
  }

  async close(): Promise<void> {
    if (this.#isSending) await new Promise<void>((resolve) => (this.#whenSent = resolve));
    await new Promise<void>((resolve) => {
      if (this.#tls.destroyed || this.#tls.writableFinished) resolve();
      else this.#tls.end(resolve);
      this.#tls.once('close', resolve);
      // What the peer still sends is no longer of interest, but its end is.
      this.#isClosing = true;
      this.#readOn();
    });
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#tls.destroy();
    this.#end();
  }
}

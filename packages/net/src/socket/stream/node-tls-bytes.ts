import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { YoungCollection } from '../young-collection.ts';
import { takeRecords } from './take-records.ts';
import type { TlsBytes } from './tls-bytes.ts';
import type { TlsTransport } from './tls-transport.ts';
import { Waiters } from './waiters.ts';

/**
 * The bytes of a connection whose records node:tls opens and seals: TLS 1.2, and TLS 1.3 where it
 * can't hand over.
 */
export class NodeTlsBytes implements TlsBytes {
  readonly #tls: TLSSocket;
  readonly #transport: TlsTransport;
  readonly #highWaterMark: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  readonly #young = new YoungCollection();
  #hasEnded = false;
  #isClosed = false;
  #failure: Error | undefined;
  /** How the connection below ended. */
  #cut: Error | undefined;
  readonly #waiters = new Waiters();

  /** @param tls within its 'secureConnect' or 'secureConnection' */
  constructor(tls: TLSSocket, transport: TlsTransport, highWaterMark: number) {
    this.#tls = tls;
    this.#transport = transport;
    this.#highWaterMark = highWaterMark;
    transport.hold((error) => this.#wake(() => (this.#cut = error)));
    takeRecords(tls, (record) => this.#take(record));
    tls.on('end', () => this.#wake(() => (this.#hasEnded = true)));
    tls.on('close', () => this.#wake(() => (this.#isClosed = true)));
    tls.on('error', (error: Error) => this.#wake(() => (this.#failure = error)));
  }

  #wake(change: () => void): void {
    change();
    this.#waiters.wake();
  }

  /** The transport is what stops, so that more of node:tls is always taken. */
  #take(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= this.#highWaterMark) this.#transport.stop();
    this.#waiters.wake();
  }

  /**
   * What was decrypted next; undefined at the end.
   *
   * @throws TlsTruncatedError for a connection that ended without close_notify, its error for one
   *   that failed, the error of node:tls; the signal's reason. Nothing that came is lost before it.
   */
  async receive(size?: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    if (!(await this.#hasBytes(signal))) return undefined;
    const chunk = this.#queue.shift() as Buffer;
    const part = size === undefined ? chunk : chunk.subarray(0, size);
    if (part.length < chunk.length) this.#queue.unshift(chunk.subarray(part.length));
    this.#taken(part.length);
    return part;
  }

  /** The same into memory of the caller's, as much as there is and fits. */
  async receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    if (!(await this.#hasBytes(signal))) return undefined;
    let filled = 0;
    while (filled < buffer.length) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      const part = chunk.subarray(0, buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) this.#queue.unshift(chunk.subarray(part.length));
    }
    this.#taken(filled);
    return filled;
  }

  #taken(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#young.dropped(bytes);
    if (this.#queuedBytes < this.#highWaterMark) this.#transport.go();
    // Others may wait for what is left.
    if (this.#queue.length > 0) this.#waiters.wake();
  }

  /** Whether bytes were decrypted that nobody has received, and the peer has not ended. */
  get hasUnread(): boolean {
    return !this.#hasEnded && this.#queuedBytes + this.#tls.readableLength > 0;
  }

  /** Waits until something is in the queue; false at the end. */
  async #hasBytes(signal?: AbortSignal): Promise<boolean> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#queue.length > 0) return true;
      if (this.#hasEnded) return false;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosed) return false;
      if (this.#cut === undefined || this.#tls.readableLength > 0) await this.#waiters.next(signal);
      else if (await this.#isCut()) throw this.#cut;
    }
  }

  /** Whether nothing more comes: the last bytes and 'end' are told in turns of their own. */
  async #isCut(): Promise<boolean> {
    await nextTurn();
    const isOver = this.#hasEnded || this.#isClosed || this.#failure !== undefined;
    return this.#queue.length === 0 && !isOver && this.#tls.readableLength === 0;
  }

  /** (To settle earlier would lose what is still encrypted when somebody destroys the stream.) */
  send(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tls.write(data, (error) => {
        const failure =
          this.#transport.sendFailure ?? (error ? (this.#failure ?? error) : undefined);
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  /** Sends TLS's close_notify and the end of the stream. */
  shutdown(): Promise<void> {
    if (this.#tls.destroyed || this.#tls.writableEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#tls.once('close', () => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      });
      this.#tls.end(resolve);
    });
  }
}

import { SHUT_WR } from '../../constants/index.ts';
import { invalidState, SocketError, TimeoutError, TlsTruncatedError } from '../../errors/index.ts';
import { YoungCollection } from '../young-collection.ts';
import { shutDown, STREAM_BYTES, type StreamSocket } from './stream-socket.ts';
import type { TlsBytes } from './tls-bytes.ts';
import { type RecordKeys, TlsRecords } from './tls-records.ts';
import { Waiters } from './waiters.ts';

// While much comes: 15 full records and a part.
const BULK_BYTES = 256 * 1024;
// A receive of so much begins that.
const MUCH_BYTES = 32 * 1024;
// A receive of less ends that: who waits for little holds no memory for much.
const LITTLE_BYTES = 16 * 1024;
// What is sealed in one go, 17 full records: a block of a transfer and its frame are two such pieces.
const PIECE_BYTES = 272 * 1024;
// Sealing memory from here on is used again: V8 would collect it too late.
const SPARE_FROM_BYTES = 32 * 1024;
const SPARES = 4;

const NONE = Buffer.alloc(0);

/** Memory for a sealed piece, for all connections. */
const spares: Buffer[] = [];

/** The bytes of a TLS 1.3 connection whose records are opened and sealed here. */
export class RecordStream implements TlsBytes {
  readonly #socket: StreamSocket;
  readonly records: TlsRecords;
  readonly #young = new YoungCollection();
  /** What has come sealed: sealed[from, to). */
  #sealed: Buffer;
  #from = 0;
  #to: number;
  /** What was opened and not asked for yet. */
  #opened: Buffer = NONE;
  #failure: Error | undefined;
  #isReceiving = false;
  readonly #waiters = new Waiters();
  /** What has to leave first: a piece of more that is on its way. */
  #sending: Promise<unknown> | undefined;
  #sendFailure: Error | undefined;
  #ending: Promise<void> | undefined;

  /**
   * @param received what has come already
   * @param flown until then node:tls has its handshake to send
   */
  constructor(socket: StreamSocket, keys: RecordKeys, received: Buffer, flown: Promise<void>) {
    this.#socket = socket;
    this.records = new TlsRecords(keys, (sealed) => this.#transmit(sealed).catch(() => undefined));
    this.#sealed = received;
    this.#to = received.length;
    void this.#enqueue(() => flown);
  }

  get hasUnread(): boolean {
    return !this.records.hasEnded && (this.#opened.length > 0 || this.#from < this.#to);
  }

  async receive(size?: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    await this.#begin(signal);
    try {
      while (this.#opened.length === 0) {
        this.#open();
        if (this.#opened.length === 0 && !(await this.#receive(signal))) return undefined;
      }
      return this.#take(size ?? this.#opened.length);
    } finally {
      this.#end();
    }
  }

  async receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    await this.#begin(signal);
    try {
      for (;;) {
        if (this.#opened.length > 0) return this.#takeInto(buffer);
        // Straight to where it is wanted, unless the next record is longer than that.
        const bytes = this.#openInto(buffer);
        if (bytes > 0) return bytes;
        if (this.records.isFull) this.#open();
        else if (!(await this.#receive(signal))) return undefined;
      }
    } finally {
      this.#end();
    }
  }

  /** One receive at a time; the others wait for their turn. */
  async #begin(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    while (this.#isReceiving) {
      await this.#waiters.next(signal);
      signal?.throwIfAborted();
    }
    this.#isReceiving = true;
  }

  #end(): void {
    this.#isReceiving = false;
    this.#waiters.wake();
  }

  #take(size: number): Buffer {
    const part = this.#opened.subarray(0, size);
    this.#opened = part.length < this.#opened.length ? this.#opened.subarray(part.length) : NONE;
    return part;
  }

  #takeInto(buffer: Uint8Array): number {
    const part = this.#take(buffer.length);
    buffer.set(part);
    return part.length;
  }

  /** Opens all that has come into memory of its own. */
  #open(): void {
    if (this.#from === this.#to) return;
    const memory = Buffer.allocUnsafe(this.#to - this.#from);
    this.#young.dropped(memory.length);
    this.#opened = memory.subarray(0, this.#openInto(memory));
  }

  #openInto(target: Uint8Array): number {
    const bytes = this.records.open(this.#sealed, this.#from, this.#to, target);
    this.#from += this.records.done;
    return bytes;
  }

  /** More sealed bytes; false at the peer's close_notify, or when we have closed. */
  async #receive(signal: AbortSignal | undefined): Promise<boolean> {
    const reason = this.records.failure ?? this.#failure;
    if (reason !== undefined) throw reason;
    if (this.records.hasEnded) return false;
    try {
      const bytes = await this.#receiveSealed(signal === undefined ? undefined : { signal });
      if (bytes > 0) return true;
    } catch (error) {
      if (this.#socket.closed) return false;
      // Those two end the receive and not the connection.
      const isOver = signal?.aborted !== true && !(error instanceof TimeoutError);
      if (isOver) this.#failure = error as Error;
      throw error;
    }
    this.#failure = new TlsTruncatedError();
    throw this.#failure;
  }

  async #receiveSealed(options: { signal: AbortSignal } | undefined): Promise<number> {
    if (this.#sealed.length < BULK_BYTES) {
      const chunk = await this.#socket.recv(STREAM_BYTES, 0, options);
      this.#young.dropped(chunk.length);
      this.#append(chunk);
      return chunk.length;
    }
    this.#keep(this.#sealed);
    const room = this.#sealed.subarray(this.#to);
    const bytes = await this.#socket.recvInto(room, undefined, 0, options);
    this.#to += bytes;
    if (bytes < LITTLE_BYTES) this.#keep(Buffer.allocUnsafe(this.#to));
    return bytes;
  }

  #append(chunk: Buffer): void {
    const left = this.#to - this.#from;
    if (left === 0 && chunk.length < MUCH_BYTES) {
      this.#sealed = chunk;
      this.#from = 0;
      this.#to = chunk.length;
      return;
    }
    const isMuch = chunk.length >= MUCH_BYTES;
    this.#keep(
      isMuch ? Buffer.allocUnsafeSlow(BULK_BYTES) : Buffer.allocUnsafe(left + chunk.length),
    );
    this.#to += chunk.copy(this.#sealed, this.#to);
  }

  /** Moves what has not been opened to the front of `memory`. */
  #keep(memory: Buffer): void {
    this.#to = this.#sealed.copy(memory, 0, this.#from, this.#to);
    this.#from = 0;
    this.#sealed = memory;
  }

  send(data: Uint8Array): Promise<void> {
    if (this.#ending !== undefined) return Promise.reject(ended());
    if (this.#sending === undefined && data.length <= PIECE_BYTES) return this.#sendPiece(data);
    return this.#enqueue(() => this.#sendPieces(data));
  }

  async #sendPieces(data: Uint8Array): Promise<void> {
    let at = 0;
    do {
      await this.#sendPiece(data.subarray(at, at + PIECE_BYTES));
      at += PIECE_BYTES;
    } while (at < data.length);
  }

  /** Behind everything that was sent before, whether that has arrived or failed. */
  #enqueue(go: () => Promise<void>): Promise<void> {
    const sending = this.#sending === undefined ? go() : this.#sending.then(go);
    const settled = sending
      .catch(() => undefined)
      .then(() => {
        if (this.#sending === settled) this.#sending = undefined;
      });
    this.#sending = settled;
    return sending;
  }

  /** Sealed at once, so that records leave in the order of their numbers. */
  async #sendPiece(data: Uint8Array): Promise<void> {
    const failure = this.#sendFailure ?? this.records.failure;
    if (failure !== undefined) throw failure;
    const bytes = TlsRecords.sealedBytes(data.length);
    const isSpare = bytes >= SPARE_FROM_BYTES;
    const memory = isSpare ? (spares.pop() ?? newSpare()) : Buffer.allocUnsafe(bytes);
    const sealed = memory.subarray(0, this.records.seal(data, memory));
    try {
      await this.#transmit(sealed);
    } finally {
      if (isSpare && spares.length < SPARES) spares.push(memory);
    }
  }

  async #transmit(sealed: Buffer): Promise<void> {
    try {
      await this.#socket.sendall(sealed);
    } catch (error) {
      // Part of a record may be out: nothing behind it would make sense to the peer.
      this.#sendFailure ??= error as Error;
      throw error;
    }
  }

  shutdown(): Promise<void> {
    this.#ending ??= this.#enqueue(() => this.#shutDown());
    return this.#ending;
  }

  async #shutDown(): Promise<void> {
    if (this.#socket.closed || this.#sendFailure !== undefined) return;
    try {
      if (this.records.failure === undefined) await this.#transmit(this.records.close());
      if (!this.#socket.closed) shutDown(this.#socket, SHUT_WR);
    } catch (error) {
      // The peer is gone, or we have closed meanwhile.
      if (!(error instanceof SocketError)) throw error;
    }
  }
}

function newSpare(): Buffer {
  return Buffer.allocUnsafeSlow(TlsRecords.sealedBytes(PIECE_BYTES));
}

function ended(): Error {
  return invalidState('Cannot send: the end of the TLS connection has been sent');
}

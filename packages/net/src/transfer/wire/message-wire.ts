import { FrameTooLargeError, ProtocolError } from '../../codec/index.ts';
import { BLOCK_HEADER_BYTES, encodeMessage } from '../protocol/encode-message.ts';
import { decodeMessage } from '../protocol/decode-message.ts';
import { malformed } from '../protocol/field-reader.ts';
import { BLOCK_BYTES, MAX_FRAME_BYTES, MAX_GREETING_BYTES } from '../protocol/limits.ts';
import type { Reason } from '../protocol/reason.ts';
import { type Block, type Message, type Role, TYPE_NUMBERS } from '../protocol/message.ts';
import { SessionOrder, type Stage } from '../protocol/session-order.ts';
import { TransferError } from '../transfer-error.ts';
import { type BlockPool, framed } from './block-pool.ts';
import type { FileRange, Wire } from './wire.ts';

const PREFIX_BYTES = 4;
const BLOCK_TYPES: ReadonlySet<number> = new Set([TYPE_NUMBERS.block, TYPE_NUMBERS.repair]);

// How a record of TLS that greets, or complains of our greeting, begins: type, version 3.1 or 3.3. No
// length of ours before HELLO is so large.
const TLS_HELLOS: ReadonlySet<number> = new Set([0x160301, 0x160303, 0x150301, 0x150303]);

// What may wait for a peer that doesn't read before nothing more is read from it. Arbitrary; the
// acknowledgements of all files that may be open take a fifth.
const MAX_UNSENT_BYTES = 256 * 1024;

// What a peer is told of our error, and how long it has to read it. Arbitrary.
const MAX_TOLD_LETTERS = 200;
const PATIENCE_MS = 200;

/** Deadlines of a session (safety.md 11); `Infinity` disables one. */
export interface WireTimeouts {
  /** Without a byte from the peer, which sends a ping after a quarter of it. Default 60,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** A whole frame from its first byte; a block gets six times as much. Default 10,000. */
  readonly frameTimeoutMs?: number | undefined;
}

/** A block with the memory it lies in, which goes back to the pool. */
export interface ReceivedBlock extends Block {
  readonly buffer: Buffer;
}

export type ReceivedMessage = Exclude<Message, Block> | ReceivedBlock;

/**
 * Messages over a wire: frames of the length-prefix codec (4 bytes, big-endian), read so that a
 * block's bytes go from the wire to their buffer without a stop between.
 */
export class MessageWire {
  readonly peer: string;
  /** Bytes of frames that came and went, headers included. */
  received = 0;
  sent = 0;
  readonly #wire: Wire;
  readonly #pool: BlockPool;
  readonly #order: SessionOrder;
  readonly #idleMs: number;
  readonly #frameMs: number;
  readonly #head = Buffer.allocUnsafeSlow(PREFIX_BYTES + BLOCK_HEADER_BYTES);
  readonly #clock: NodeJS.Timeout;
  #deadline = Number.POSITIVE_INFINITY;
  /** What a peer does that lets the deadline pass. */
  #missed: 'sends nothing' | 'reads nothing' = 'sends nothing';
  #lastSent = performance.now();
  #isClosed = false;
  #unsent = 0;
  #whenSent: (() => void) | undefined;
  /** Why this side is ending the session. */
  #failure: Error | undefined;
  #whenFailed: ((reason: Error) => void) | undefined;

  constructor(wire: Wire, role: Role, pool: BlockPool, timeouts: WireTimeouts = {}) {
    this.#wire = wire;
    this.peer = wire.peer;
    this.#pool = pool;
    this.#order = new SessionOrder(role);
    this.#idleMs = timeouts.idleTimeoutMs ?? 60_000;
    this.#frameMs = timeouts.frameTimeoutMs ?? 10_000;
    this.#clock = setInterval(() => this.#tick(), Math.min(1_000, this.#frameMs / 4));
  }

  get stage(): Stage {
    return this.#order.stage;
  }

  advance(stage: Stage): void {
    this.#order.advance(stage);
  }

  /** Whether the wire below encrypts. */
  get encrypted(): boolean {
    return this.#wire.encrypted;
  }

  /** Whether files can go out without passing through this process. */
  get canSendFile(): boolean {
    return this.#wire.sendFile !== undefined;
  }

  /** Sends a message; a block's payload goes from where it lies. */
  send(message: Message): Promise<void> {
    const head = encodeMessage(message);
    return this.#send('payload' in message ? framed(head, message.payload) : [head]);
  }

  /** Sends a block whose bytes the kernel takes from the file. */
  sendFileBlock(block: Block, file: FileRange): Promise<void> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    const head = encodeMessage(block);
    this.sent += head.length + file.count;
    this.#lastSent = performance.now();
    return (this.#wire.sendFile as NonNullable<Wire['sendFile']>)(head, file);
  }

  #send(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    this.sent += bytes;
    this.#unsent += bytes;
    this.#lastSent = performance.now();
    const sending = this.#wire.send(pieces);
    const settled = (): void => this.#left(bytes);
    // A failed send shows in the receiving half too, where it is told.
    sending.then(settled, settled);
    return sending;
  }

  #left(bytes: number): void {
    this.#unsent -= bytes;
    if (this.#unsent <= MAX_UNSENT_BYTES) this.#whenSent?.();
  }

  /**
   * Waits while the peer doesn't read what it is told: who goes on then, because of what it says, would
   * keep ever more for it. A peer that reads nothing for the idle time is given up.
   */
  async drained(): Promise<void> {
    if (this.#unsent <= MAX_UNSENT_BYTES) return;
    await this.#untilRead(new Promise<void>((resolve) => (this.#whenSent = resolve)));
    this.#whenSent = undefined;
  }

  /** Waits for somebody who isn't the peer, until this side ends the session. */
  orFailure<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#whenFailed = reject;
      work.then(resolve, reject);
    });
  }

  /** Waits for a peer to read, for the idle time at most. */
  async #untilRead<Result>(read: Promise<Result>): Promise<Result> {
    this.#deadline = performance.now() + this.#idleMs;
    this.#missed = 'reads nothing';
    try {
      return await read;
    } finally {
      this.#missed = 'sends nothing';
      this.#deadline = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * The next message, checked against what may come now; undefined at the end of the stream.
   *
   * @throws ProtocolError for a peer that breaks the protocol; TransferError with its own words when
   *   it gives up; what the connection failed with
   */
  async next(): Promise<ReceivedMessage | undefined> {
    for (;;) {
      // Who says nothing at all is given less time than who is at work.
      const patienceMs = this.stage === 'hello' ? this.#frameMs : this.#idleMs;
      this.#deadline = performance.now() + patienceMs;
      const message = await this.#receive().finally(() => {
        this.#deadline = Number.POSITIVE_INFINITY;
      });
      if (this.#failure !== undefined) throw this.#failure;
      if (message === undefined) return undefined;
      this.#order.check(message.type);
      if (message.type === 'failure') {
        const words = JSON.stringify(message.text);
        throw new TransferError(message.reason, `Cannot go on: ${this.peer} says ${words}`);
      }
      if (message.type !== 'ping') return message;
    }
  }

  async #receive(): Promise<ReceivedMessage | undefined> {
    if (!(await this.#wire.fill(this.#head, 0, PREFIX_BYTES + 1))) return undefined;
    const length = this.#head.readUInt32BE(0);
    if (this.stage === 'hello' && TLS_HELLOS.has(length >>> 8)) throw this.#onesided();
    const most = this.stage === 'hello' ? MAX_GREETING_BYTES : MAX_FRAME_BYTES;
    if (length > most) {
      throw new FrameTooLargeError('decode', { name: 'maxFrameBytes', bytes: most }, length);
    }
    if (length === 0) malformed('an empty frame');
    this.received += PREFIX_BYTES + length;
    const isBlock = BLOCK_TYPES.has(this.#head.readUInt8(PREFIX_BYTES));
    this.#deadline = performance.now() + (isBlock ? 6 : 1) * this.#frameMs;
    return isBlock ? this.#receiveBlock(length) : this.#receiveControl(length);
  }

  #onesided(): TransferError {
    const text = `Cannot greet ${this.peer}: it encrypts and this side doesn't; insecure is for both sides or for none`;
    return new TransferError('connection', text);
  }

  async #receiveControl(length: number): Promise<ReceivedMessage> {
    const body = Buffer.allocUnsafe(length);
    body[0] = this.#head[PREFIX_BYTES] as number;
    if (length > 1) await this.#wire.fill(body, 1, length);
    return decodeMessage(body) as ReceivedMessage;
  }

  async #receiveBlock(length: number): Promise<ReceivedMessage> {
    const payloadBytes = length - BLOCK_HEADER_BYTES;
    if (this.stage !== 'entries' || payloadBytes < 0 || payloadBytes > BLOCK_BYTES) {
      malformed(`a block of ${payloadBytes} bytes at stage ${this.stage}`);
    }
    await this.#wire.fill(this.#head, PREFIX_BYTES + 1, this.#head.length);
    // Waiting for a buffer is our own slowness, not the peer's.
    this.#deadline = Number.POSITIVE_INFINITY;
    const buffer = await this.#pool.acquire();
    this.#deadline = performance.now() + 6 * this.#frameMs;
    try {
      if (payloadBytes > 0) await this.#wire.fill(buffer, 0, payloadBytes);
      const head = decodeMessage(Buffer.from(this.#head.subarray(PREFIX_BYTES)), length) as Block;
      return { ...head, payload: buffer.subarray(0, payloadBytes), buffer };
    } catch (error) {
      this.#pool.release(buffer);
      throw error;
    }
  }

  #tick(): void {
    const now = performance.now();
    if (now > this.#deadline) {
      this.abort(new TransferError('connection', `Cannot go on: ${this.peer} ${this.#missed}`));
    } else if (
      this.stage !== 'hello' &&
      !this.#isClosed &&
      now - this.#lastSent > this.#idleMs / 4
    ) {
      void this.send({ type: 'ping' });
    }
  }

  /** Tells the peer why, as far as it listens, and ends the connection. */
  async fail(error: unknown): Promise<void> {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.#isClosed) this.#wire.abort(failure);
    if (this.#isClosed || this.#failure !== undefined) return;
    const isPeersFault = error instanceof ProtocolError;
    const reason = error instanceof TransferError ? error.reason : 'cancelled';
    const isTold = isPeersFault || (reason !== 'connection' && reason !== 'secret');
    const text = failure.message.slice(0, MAX_TOLD_LETTERS);
    const known = (isPeersFault ? 'protocol' : reason) as Reason;
    const said = isTold ? this.send({ type: 'failure', reason: known, text }) : undefined;
    // From here on nothing else is sent or taken.
    this.#failure = failure;
    this.#whenFailed?.(failure);
    if (said !== undefined) await this.#patiently(said);
    this.abort(failure);
  }

  /** Waits for a send, but not for a peer that doesn't read. */
  async #patiently(said: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([said.catch(() => undefined), patience]);
    clearTimeout(timer);
  }

  /** Sends what waits, to a peer that reads, and ends the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#untilRead(this.#wire.close());
    } finally {
      clearInterval(this.#clock);
    }
  }

  abort(reason: Error): void {
    this.#isClosed = true;
    clearInterval(this.#clock);
    this.#wire.abort(reason);
  }
}

function rejected(reason: Error): Promise<void> {
  const promise = Promise.reject(reason);
  promise.catch(() => undefined);
  return promise;
}

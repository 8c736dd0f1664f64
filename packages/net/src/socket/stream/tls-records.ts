import { native } from '@sockeye/native';
import { TlsAlertError } from '../../errors/index.ts';
import type { TrafficKey } from './traffic-key.ts';

// RFC 8446, sections 4 and 5.1.
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const NEW_SESSION_TICKET = 4;
const KEY_UPDATE = 24;

// Section 6.
const CLOSE_NOTIFY = 0;
const UNEXPECTED_MESSAGE = 10;
const ILLEGAL_PARAMETER = 47;
const DECODE_ERROR = 50;
const USER_CANCELED = 90;
const INTERNAL_ERROR = 80;

// What a record has besides its content: a header of 5 bytes, its type, and a tag of 16.
const RECORD_OVERHEAD = 22;
const RECORD_BYTES = 16 * 1024;

// Section 5.5: AES-GCM may seal 2^24.5 full records with one key.
const RECORDS_PER_KEY = 2 ** 24;

const MESSAGE_HEAD_BYTES = 4;
const KEY_UPDATE_BYTES = 5;
// A session ticket's fields may be 64 KiB each; who sends more wants our memory.
const MESSAGE_BYTES = 192 * 1024;

// Records that carry no data, one behind the other in what has come at once: nobody needs so many.
const MOST_WITHOUT_DATA = 32;

const NO_MESSAGE = Buffer.alloc(0);

// Why native.openTlsRecords stopped.
const TARGET_IS_FULL = 1;
const OTHER_CONTENT = 2;

/** Which side of a connection we are. */
export type TlsSide = 'client' | 'server';

/** The keys of both directions. */
export interface RecordKeys {
  readonly side: TlsSide;
  readonly read: TrafficKey;
  readonly write: TrafficKey;
  /** Records that one key seals at most; default 2^24. */
  readonly recordsPerKey?: number | undefined;
}

/**
 * The records of one TLS 1.3 connection from the end of its handshake on: opens those that come,
 * answers what belongs to TLS itself among them, and seals what leaves.
 * Source: RFC 8446, sections 4.6, 5 and 6.
 */
export class TlsRecords {
  /** Bytes of sealed records that the last `open` is done with. */
  done = 0;
  readonly #side: TlsSide;
  #read: TrafficKey;
  #write: TrafficKey;
  #hasEnded = false;
  readonly #recordsPerKey: number;
  #sealed = 0;
  /** What has come of a handshake message: its head, then all of it. */
  #message = NO_MESSAGE;
  #held = 0;
  readonly #head = Buffer.alloc(MESSAGE_HEAD_BYTES);
  readonly #outcome = new Int32Array(5);
  readonly #reply: (sealed: Buffer) => Promise<void>;
  #isReplying = false;
  #isFull = false;
  #isClosed = false;
  #failure: Error | undefined;

  /** @param reply sends what answers the peer, in the order of the seals; it never rejects */
  constructor(keys: RecordKeys, reply: (sealed: Buffer) => Promise<void>) {
    this.#side = keys.side;
    this.#read = keys.read;
    this.#write = keys.write;
    this.#recordsPerKey = keys.recordsPerKey ?? RECORDS_PER_KEY;
    this.#reply = reply;
  }

  /** Whether the peer has said close_notify: nothing behind it counts. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Why nothing more can be opened: the peer's alert, or ours. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether the last `open` found another record, for which `target` had no room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Opens the whole records of sealed[from, to) into `target`, as far as they fit there and until one
   * of them ends the connection: see `hasEnded` and `failure`.
   *
   * @returns the bytes of application data; `done` says how far in `sealed` they reach
   */
  open(sealed: Buffer, from: number, to: number, target: Uint8Array): number {
    const outcome = this.#outcome;
    let next = from;
    let filled = 0;
    let stop = OTHER_CONTENT;
    let withoutData = 0;
    while (stop === OTHER_CONTENT && !this.#hasEnded && this.#failure === undefined) {
      const { key } = this.#read;
      const room = target.length - filled;
      native.openTlsRecords(key, sealed, next, to - next, target, filled, room, outcome);
      const [done = 0, bytes = 0, why = 0, type = 0, length = 0] = outcome;
      stop = why;
      next += done;
      filled += bytes;
      withoutData = bytes > 0 ? 0 : withoutData + 1;
      const isInterrupted = bytes > 0 && this.#held > 0;
      if (isInterrupted || withoutData > MOST_WITHOUT_DATA) this.#fail(UNEXPECTED_MESSAGE);
      else if (stop === OTHER_CONTENT) this.#take(type, target.subarray(filled, filled + length));
      else if (stop < 0) this.#fail(-stop);
    }
    this.#isFull = stop === TARGET_IS_FULL;
    this.done = next - from;
    return filled;
  }

  /** Tells the peer why we can't go on. */
  #fail(alert: number): void {
    this.#failure = new TlsAlertError(alert, true);
    if (!this.#isClosed) void this.#reply(this.#seal(ALERT, Buffer.from([2, alert])));
  }

  #take(type: number, content: Uint8Array): void {
    if (type === ALERT) this.#takeAlert(content);
    else if (type === HANDSHAKE && content.length > 0) this.#takeMessages(content);
    else this.#fail(UNEXPECTED_MESSAGE);
  }

  #takeAlert(content: Uint8Array): void {
    const [, alert] = content;
    if (alert === undefined || content.length !== 2) this.#fail(DECODE_ERROR);
    else if (alert === CLOSE_NOTIFY) this.#hasEnded = true;
    else if (alert !== USER_CANCELED) this.#failure = new TlsAlertError(alert, false);
  }

  #takeMessages(content: Uint8Array): void {
    for (let at = 0; at < content.length && this.#failure === undefined; ) {
      const isHead = this.#held < MESSAGE_HEAD_BYTES;
      const target = isHead ? this.#head : this.#message;
      const part = content.subarray(at, at + target.length - this.#held);
      target.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
      if (this.#held < target.length) return;
      if (isHead) this.#beginMessage();
      else this.#takeMessage(at === content.length);
    }
  }

  /** Makes room for a message of which the head is there, if it may come. */
  #beginMessage(): void {
    const [type] = this.#head;
    const end = MESSAGE_HEAD_BYTES + this.#head.readUIntBE(1, 3);
    // A client may begin a later session with it; node:tls, which would, has handed over.
    const isTicket = type === NEW_SESSION_TICKET && this.#side === 'client';
    if (type !== KEY_UPDATE && !isTicket) this.#fail(UNEXPECTED_MESSAGE);
    else if (isTicket ? end === MESSAGE_HEAD_BYTES : end !== KEY_UPDATE_BYTES)
      this.#fail(DECODE_ERROR);
    else if (end > MESSAGE_BYTES) this.#fail(ILLEGAL_PARAMETER);
    else this.#message = Buffer.alloc(end);
  }

  /** @param isLast whether the record ends with it, as it must where the key changes */
  #takeMessage(isLast: boolean): void {
    const [type] = this.#head;
    const request = this.#message[MESSAGE_HEAD_BYTES];
    this.#message = NO_MESSAGE;
    this.#held = 0;
    if (type !== KEY_UPDATE) return;
    if (!isLast) this.#fail(UNEXPECTED_MESSAGE);
    else if (request === 0 || request === 1) this.#updateKeys(request === 1);
    else this.#fail(ILLEGAL_PARAMETER);
  }

  /** One answer does for all requests that come before it has left. */
  #updateKeys(isAsked: boolean): void {
    this.#read = this.#read.next();
    if (!isAsked || this.#isReplying || this.#isClosed) return;
    this.#isReplying = true;
    void this.#reply(this.updateKey()).then(() => {
      this.#isReplying = false;
    });
  }

  /** A KeyUpdate that asks for none; what is sealed from now on has the new key. */
  updateKey(): Buffer {
    const sealed = this.#seal(HANDSHAKE, Buffer.from([KEY_UPDATE, 0, 0, 1, 0]));
    this.#write = this.#write.next();
    this.#sealed = 0;
    return sealed;
  }

  /** close_notify, the end of what we say. */
  close(): Buffer {
    this.#isClosed = true;
    return this.#seal(ALERT, Buffer.from([1, CLOSE_NOTIFY]));
  }

  /** What node:tls has sealed itself, as a record of ours; nothing once we have said close_notify. */
  again(type: number, content: Uint8Array): Buffer {
    return this.#isClosed ? Buffer.alloc(0) : this.#seal(type, content);
  }

  /** Bytes that `content` takes when it is sealed, a change of keys included. */
  static sealedBytes(content: number): number {
    const records = Math.max(1, Math.ceil(content / RECORD_BYTES));
    return content + (records + 1) * RECORD_OVERHEAD + 5;
  }

  /** Seals application data into `target`, which has `sealedBytes`. @returns the bytes */
  seal(content: Uint8Array, target: Buffer): number {
    let at = 0;
    if (this.#sealed >= this.#recordsPerKey) at = this.updateKey().copy(target);
    return at + this.#sealInto(APPLICATION_DATA, content, target, at);
  }

  #seal(type: number, content: Uint8Array): Buffer {
    const target = Buffer.allocUnsafe(TlsRecords.sealedBytes(content.length));
    return target.subarray(0, this.#sealInto(type, content, target, 0));
  }

  #sealInto(type: number, content: Uint8Array, target: Buffer, at: number): number {
    const { key } = this.#write;
    const bytes = native.sealTlsRecords(key, type, content, 0, content.length, target, at);
    if (bytes < 0) throw new TlsAlertError(INTERNAL_ERROR, true);
    this.#sealed += Math.ceil(content.length / RECORD_BYTES);
    return bytes;
  }
}

import {
  RetransmissionTimeout,
  type RetransmissionTimeoutOptions,
} from './retransmission-timeout.ts';
import { type AckPacket, encodeSequenced } from './sequenced-packet.ts';
import { addSerial, serialDistance } from './serial-number.ts';

/** What the caller of a {@link ReliableSender} has to do next, in this order. */
export type SenderAction =
  /** Send this datagram; it may be sent again later, so leave it unchanged. */
  | { readonly type: 'transmit'; readonly datagram: Buffer; readonly sequence: number }
  /** The peer has this message: nothing is kept of it any more. */
  | { readonly type: 'acknowledged'; readonly sequence: number }
  /** The peer doesn't answer: this message was sent `transmissions` times in vain; all ends here. */
  | { readonly type: 'failed'; readonly sequence: number; readonly transmissions: number };

/** Options of {@link ReliableSender}. */
export interface ReliableSenderOptions extends RetransmissionTimeoutOptions {
  /** Number that tells this sender from others and from its own earlier runs: random, 32 bits. */
  stream: number;
  /** Messages that may wait for their acknowledgement, 1 to 32. Default 32. */
  window?: number;
  /**
   * How often a message is sent again before the sender gives up. Default 6: with timeouts from
   * 1 s doubling to 60 s that is 123 s, above the 100 s of RFC 1122 (4.2.3.5).
   */
  maxRetransmissions?: number;
  /** Number of the first message; the receiver must expect the same. Default 0. */
  firstSequence?: number;
}

interface InFlight {
  readonly sequence: number;
  readonly datagram: Buffer;
  sentAt: number;
  transmissions: number;
  acknowledged: boolean;
  /** A timeout has made it suspect, and it wasn't sent again yet. */
  suspect: boolean;
  /** It was sent again because later ones had been acknowledged. */
  repaired: boolean;
}

/** As many as an acknowledgement's bits can tell of. */
const MAX_WINDOW = 32;
/** Later messages acknowledged that make one count as lost (DupThresh of RFC 6675). */
const REORDERING_TOLERANCE = 3;
/** Suspects sent again per acknowledged message, which is TCP's growth in slow start (RFC 5681). */
const SUSPECTS_PER_ACKNOWLEDGED = 2;

/**
 * The sending half of acknowledged, ordered delivery over datagrams, without any I/O: each method
 * takes the time and returns what to do. `now` is any clock that never goes back, in milliseconds.
 *
 * One timer runs as RFC 6298, section 5, has it: expiry sends the oldest message again and doubles
 * the timeout, and the others follow as acknowledgements come; round trips are taken from messages
 * sent once. A message is also sent again, once, when three later ones have been acknowledged.
 *
 * What it does not do: no congestion control beyond the fixed window and the doubling timeout (on a
 * shared path keep the window small; RFC 8085 asks for one datagram per round trip without it), no
 * pacing, no flow control by the receiver (who doesn't read lets datagrams drop and, after
 * `maxRetransmissions`, the sender fails), no splitting of messages, no handshake, no notice of the
 * end, no encryption, no authentication. Memory: at most `window` datagrams.
 *
 * @throws RangeError when an option is out of range
 * @example
 * const sender = new ReliableSender({ stream: 1 });
 * const [first] = sender.send(Buffer.from('hi'), 0);
 * assert.equal(first?.type, 'transmit');
 * assert.equal(sender.deadline, 1000);
 * const [again] = sender.tick(1000);
 * assert.deepEqual(again, first);
 */
export class ReliableSender {
  readonly #stream: number;
  readonly #window: number;
  readonly #maxTransmissions: number;
  readonly #timeout: RetransmissionTimeout;
  /** Oldest first, without holes; the first is not acknowledged. */
  readonly #inFlight: InFlight[] = [];
  /** Number of the oldest in flight, or of the next message if none is. */
  #base: number;
  #deadline: number | undefined;
  #failed = false;

  constructor(options: ReliableSenderOptions) {
    const { stream, window = MAX_WINDOW, maxRetransmissions = 6, firstSequence = 0 } = options;
    this.#stream = integer('stream', stream, 0, 0xffff_ffff);
    this.#window = integer('window', window, 1, MAX_WINDOW);
    const largest = Number.MAX_SAFE_INTEGER - 1;
    this.#maxTransmissions = 1 + integer('maxRetransmissions', maxRetransmissions, 0, largest);
    this.#base = integer('firstSequence', firstSequence, 0, 0xffff_ffff);
    this.#timeout = new RetransmissionTimeout(options);
  }

  /** Whether a message can be sent now: the window has room and the sender hasn't failed. */
  get ready(): boolean {
    return !this.#failed && this.#inFlight.length < this.#window;
  }

  /** Messages that wait for their acknowledgement or for an older one's. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** When to call tick() at the latest, on the clock of `now`; undefined when nothing waits. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** The timeout now, milliseconds. */
  get rtoMs(): number {
    return this.#timeout.rtoMs;
  }

  /** Numbers and sends a message; it is copied. @throws RangeError unless `ready` */
  send(payload: Uint8Array, now: number): SenderAction[] {
    if (!this.ready) {
      const state = this.#failed ? 'the sender has failed' : `window ${this.#window} is full`;
      throw new RangeError(`Cannot send message: ${state}`);
    }
    const sequence = addSerial(this.#base, this.#inFlight.length);
    const stream = this.#stream;
    const message: InFlight = {
      sequence,
      datagram: encodeSequenced({ type: 'data', stream, sequence, acknowledge: true, payload }),
      sentAt: now,
      transmissions: 0,
      acknowledged: false,
      suspect: false,
      repaired: false,
    };
    this.#inFlight.push(message);
    this.#deadline ??= now + this.#timeout.rtoMs;
    return [transmit(message, now)];
  }

  /**
   * Takes an acknowledgement, late ones too. One of another stream, of messages never sent, or
   * without news changes nothing.
   */
  receive(ack: AckPacket, now: number): SenderAction[] {
    const before = serialDistance(this.#base, ack.next);
    const applies = ack.stream === this.#stream && before <= this.#inFlight.length;
    if (this.#failed || !applies) return [];
    const news = this.#inFlight.filter(
      (message, index) => !message.acknowledged && isCovered(index - before, ack.selective),
    );
    if (news.length === 0) return [];
    this.#measure(news, now);
    for (const message of news) message.acknowledged = true;
    this.#dropAcknowledged();
    // Rules 5.2 and 5.3: nothing left stops the timer, news starts it anew.
    this.#deadline = this.#inFlight.length === 0 ? undefined : now + this.#timeout.rtoMs;
    return [
      ...news.map(({ sequence }): SenderAction => ({ type: 'acknowledged', sequence })),
      ...this.#repair(news.length, now),
    ];
  }

  /** Does what is due; nothing before the deadline. */
  tick(now: number): SenderAction[] {
    const oldest = this.#inFlight[0];
    if (this.#deadline === undefined || now < this.#deadline || oldest === undefined) return [];
    if (oldest.transmissions >= this.#maxTransmissions) {
      this.#failed = true;
      this.#deadline = undefined;
      const { sequence, transmissions } = oldest;
      this.#inFlight.length = 0;
      return [{ type: 'failed', sequence, transmissions }];
    }
    for (const message of this.#inFlight) message.suspect = !message.acknowledged;
    this.#timeout.backOff();
    this.#deadline = now + this.#timeout.rtoMs;
    return [transmit(oldest, now)];
  }

  /** Karn's algorithm: what was sent twice tells nothing, as either sending may be the one meant. */
  #measure(news: InFlight[], now: number): void {
    const latest = news.findLast(({ transmissions }) => transmissions === 1);
    if (latest !== undefined) this.#timeout.sample(now - latest.sentAt);
  }

  #dropAcknowledged(): void {
    const waiting = this.#inFlight.findIndex(({ acknowledged }) => !acknowledged);
    const done = waiting === -1 ? this.#inFlight.length : waiting;
    this.#inFlight.splice(0, done);
    this.#base = addSerial(this.#base, done);
  }

  /** Sends again what counts as lost, and after a timeout what it made suspect, step by step. */
  #repair(acknowledged: number, now: number): SenderAction[] {
    const actions: SenderAction[] = [];
    let later = this.#inFlight.filter((message) => message.acknowledged).length;
    let suspects = SUSPECTS_PER_ACKNOWLEDGED * acknowledged;
    for (const message of this.#inFlight) {
      if (message.acknowledged) {
        later--;
      } else if (message.suspect && suspects > 0) {
        suspects--;
        actions.push(transmit(message, now));
      } else if (later >= REORDERING_TOLERANCE && !message.repaired) {
        message.repaired = true;
        actions.push(transmit(message, now));
      }
    }
    return actions;
  }
}

/** Whether an acknowledgement covers the number that lies `ahead` of its `next`. */
function isCovered(ahead: number, selective: number): boolean {
  if (ahead <= 0) return ahead < 0;
  return ahead <= MAX_WINDOW && ((selective >>> (ahead - 1)) & 1) === 1;
}

function transmit(message: InFlight, now: number): SenderAction {
  message.sentAt = now;
  message.transmissions++;
  message.suspect = false;
  return { type: 'transmit', datagram: message.datagram, sequence: message.sequence };
}

function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(
    `Cannot create sender: ${name} ${value}, an integer from ${min} to ${max} is needed`,
  );
}

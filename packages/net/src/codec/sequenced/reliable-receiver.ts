import { type DataPacket, encodeSequenced } from './sequenced-packet.ts';
import { addSerial, nextSerial, serialDistance } from './serial-number.ts';

/** What the caller of a {@link ReliableReceiver} has to do next, in this order. */
export type ReceiverAction =
  /** The next message in order. */
  | { readonly type: 'deliver'; readonly payload: Uint8Array; readonly sequence: number }
  /** It came before its turn and is kept until `missing` older ones have come. */
  | { readonly type: 'held'; readonly sequence: number; readonly missing: number }
  /** It had come before, or lies too far ahead to be kept, and was dropped. */
  | { readonly type: 'dropped'; readonly sequence: number; readonly reason: 'duplicate' | 'beyond' }
  /** Send this acknowledgement back; of several in a row the last says it all. */
  | { readonly type: 'acknowledge'; readonly datagram: Buffer };

/** As many as an acknowledgement's bits can tell of. */
const WINDOW = 32;

/**
 * The receiving half of acknowledged, ordered delivery over datagrams, without any I/O: delivers
 * each message once and in order, and answers every packet with an acknowledgement at once.
 *
 * It belongs to one stream of one peer; give packets with another `stream` to another receiver.
 * What it does not do: no delayed acknowledgements, no flow control, no notice of the end, no
 * protection against forged packets. Memory: at most 32 messages that came before their turn.
 *
 * @throws RangeError when `firstSequence` is out of range
 * @example
 * const receiver = new ReliableReceiver({ stream: 1 });
 * const packet = { type: 'data', stream: 1, acknowledge: true } as const;
 * const early = receiver.receive({ ...packet, sequence: 1, payload: Buffer.from('b') });
 * assert.deepEqual(early.map(({ type }) => type), ['held', 'acknowledge']);
 * const both = receiver.receive({ ...packet, sequence: 0, payload: Buffer.from('a') });
 * assert.deepEqual(both.map(({ type }) => type), ['deliver', 'deliver', 'acknowledge']);
 */
export class ReliableReceiver {
  readonly stream: number;
  readonly #held = new Map<number, Uint8Array>();
  #next: number;

  /** `firstSequence`: number of the sender's first message. Default 0. */
  constructor({ stream, firstSequence = 0 }: { stream: number; firstSequence?: number }) {
    if (!Number.isInteger(firstSequence) || firstSequence < 0 || firstSequence > 0xffff_ffff) {
      throw new RangeError(
        `Cannot create receiver: firstSequence ${firstSequence}, an integer from 0 to 4294967295 is needed`,
      );
    }
    this.stream = stream;
    this.#next = firstSequence;
  }

  /** Number of the next message in order. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes a data packet. A message delivered at once is the packet's own payload, which may be a
   * view; one that has to wait is copied.
   * @throws RangeError when the packet is of another stream
   */
  receive({ stream, sequence, payload }: DataPacket): ReceiverAction[] {
    if (stream !== this.stream) {
      throw new RangeError(
        `Cannot receive packet: stream ${stream}, this receiver's is ${this.stream}`,
      );
    }
    const ahead = serialDistance(this.#next, sequence);
    if (ahead === 0) return [...this.#deliver(payload), this.#acknowledgement()];
    if (ahead < 0 || this.#held.has(sequence)) {
      return [{ type: 'dropped', sequence, reason: 'duplicate' }, this.#acknowledgement()];
    }
    if (ahead > WINDOW) {
      return [{ type: 'dropped', sequence, reason: 'beyond' }, this.#acknowledgement()];
    }
    this.#held.set(sequence, Buffer.from(payload));
    return [
      { type: 'held', sequence, missing: this.#missingBefore(ahead) },
      this.#acknowledgement(),
    ];
  }

  /** The message whose turn it is, and those that waited for it. */
  #deliver(payload: Uint8Array): ReceiverAction[] {
    const actions: ReceiverAction[] = [];
    for (let ready: Uint8Array | undefined = payload; ready !== undefined; ) {
      actions.push({ type: 'deliver', payload: ready, sequence: this.#next });
      this.#next = nextSerial(this.#next);
      ready = this.#held.get(this.#next);
      this.#held.delete(this.#next);
    }
    return actions;
  }

  #missingBefore(ahead: number): number {
    let missing = 0;
    for (let at = 0; at < ahead; at++) if (!this.#held.has(addSerial(this.#next, at))) missing++;
    return missing;
  }

  #acknowledgement(): ReceiverAction {
    let selective = 0;
    for (const sequence of this.#held.keys()) {
      selective |= 1 << (serialDistance(this.#next, sequence) - 1);
    }
    const packet = { type: 'ack', stream: this.stream, next: this.#next } as const;
    return {
      type: 'acknowledge',
      datagram: encodeSequenced({ ...packet, selective: selective >>> 0 }),
    };
  }
}

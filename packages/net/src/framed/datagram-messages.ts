import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Address } from '../address/index.ts';
import {
  type AckPacket,
  type Codec,
  type DataPacket,
  decodeSequenced,
  encodeSequenced,
  ProtocolError,
  ReliableReceiver,
  type ReliableSenderOptions,
  SequenceCounter,
  type SequenceCounts,
  SequenceTracker,
} from '../codec/index.ts';
import { EBADF, ETIMEDOUT } from '../constants/index.ts';
import { formatAddress, SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import type { DatagramLimits, FramedDatagramsOptions } from './framed-datagrams.ts';
import { RecentMap } from './recent-map.ts';
import { ReliableOutbound } from './reliable-outbound.ts';

/** A message with where it came from. */
export interface DatagramMessage<Message> {
  readonly message: Message;
  /** The sender; null where it has no name (a socketpair). */
  readonly remote: Address | null;
  /** Its number in the sender's stream. */
  readonly sequence: number;
}

/** What happened to datagrams on their way, each with the sender's address. */
export interface DatagramEvents {
  /** Numbers were skipped before this one; they may yet come. */
  gap: [remote: Address | null, missing: number, sequence: number];
  /** A skipped number came after all. */
  reordered: [remote: Address | null, sequence: number];
  /** A number came again, or so late that it can't be told, and was dropped. */
  duplicate: [remote: Address | null, sequence: number];
  /** A datagram that is none of ours, or whose message the codec refused, was dropped. */
  malformed: [error: ProtocolError, remote: Address | null];
  /** A message was dropped because maxQueued others wait for the iteration. */
  overflow: [remote: Address | null, sequence: number];
  /** A peer acknowledges nothing: what was sent to it `reliable` may be lost. */
  failed: [error: Error, remote: Address | null];
  /** The network said that a datagram could not be delivered. */
  unreachable: [error: SocketError];
}

/** Totals since the start, over all peers. */
export interface DatagramCounts extends SequenceCounts {
  malformed: number;
  overflow: number;
}

type Inbound =
  | { readonly type: 'tracked'; readonly tracker: SequenceTracker }
  | { readonly type: 'reliable'; readonly receiver: ReliableReceiver };

interface Waiter<Message> {
  readonly resolve: (result: IteratorResult<DatagramMessage<Message>, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

const LARGEST_DATAGRAM = 65_535;
// A stream whose first arrival has a number below this is taken to be new (arbitrary).
const STREAM_START = 32;
// The serial number before 0.
const BEFORE_FIRST = 0xffff_ffff;
const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
// What ICMP brought back about an earlier datagram: no fault of the socket (ip(7), udp(7)).
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
]);

/** Numbered messages of a datagram socket. `framedDatagrams` makes one. */
export class DatagramMessages<Message, Sent = Message>
  extends EventEmitter<DatagramEvents>
  implements AsyncIterable<DatagramMessage<Message>>, AsyncDisposable
{
  readonly #socket: Socket<number>;
  readonly #codec: Codec<Message, Sent>;
  readonly #limits: DatagramLimits;
  readonly #options: FramedDatagramsOptions;
  readonly #inbound: RecentMap<string, Inbound>;
  readonly #outbound: RecentMap<string, ReliableOutbound>;
  readonly #counters: RecentMap<string, SequenceCounter>;
  readonly #isConnected: boolean;
  readonly #stream = randomInt(2 ** 32);
  readonly #totals = { malformed: 0, overflow: 0 };
  readonly #delivery = { received: 0, duplicates: 0, reordered: 0 };
  #queue: DatagramMessage<Message>[] = [];
  #waiters: Waiter<Message>[] = [];
  #failure: unknown;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    socket: Socket<number>,
    codec: Codec<Message, Sent>,
    limits: DatagramLimits,
    options: FramedDatagramsOptions,
  ) {
    super();
    this.#socket = socket;
    this.#codec = codec;
    this.#isConnected = isConnected(socket);
    this.#limits = limits;
    this.#options = options;
    this.#inbound = new RecentMap(limits.maxPeers);
    this.#outbound = new RecentMap(limits.maxPeers, (outbound) => outbound.isIdle);
    this.#counters = new RecentMap(limits.maxPeers);
    // Wrong options fail here and not at the first message.
    this.#newOutbound(null);
    this.#newTracker();
    void this.#read();
  }

  /**
   * What came and what didn't; missing, lost and stale of the peers that are remembered. Reliable
   * streams count what was delivered and duplicates.
   */
  get counts(): DatagramCounts {
    const sum = { ...this.#delivery, ...this.#totals, missing: 0, lost: 0, stale: 0 };
    for (const inbound of this.#inbound.values()) {
      if (inbound.type !== 'tracked') continue;
      const { counts } = inbound.tracker;
      for (const name of ['missing', 'lost', 'stale'] as const) sum[name] += counts[name];
    }
    return sum;
  }

  /**
   * Sends a message as one datagram. With `reliable` it resolves once the message is on its way,
   * which waits while `window` others are unacknowledged; `flush` tells about the rest.
   *
   * @param remote whom to; omitted on a connected socket
   * @throws ProtocolError, TypeError when the codec can't encode it; SocketError EMSGSIZE,
   *   EDESTADDRREQ, …; ETIMEDOUT, once, when what was sent to this peer before was never
   *   acknowledged: the next send begins anew
   */
  async send(message: Sent, remote: Address | null = null): Promise<void> {
    if (this.#closing !== undefined) throw closedError();
    const frame = this.#codec.encode(message);
    const payload = Array.isArray(frame) ? Buffer.concat(frame) : frame;
    if (this.#limits.reliable) await this.#sendReliably(payload, remote);
    else await this.#transmit(this.#number(payload, remote), remote);
  }

  #number(payload: Uint8Array, remote: Address | null): Buffer {
    const sequence = this.#counters.obtain(keyOf(remote), () => new SequenceCounter()).next();
    const stream = this.#stream;
    return encodeSequenced({ type: 'data', stream, sequence, acknowledge: false, payload });
  }

  async #sendReliably(payload: Uint8Array, remote: Address | null): Promise<void> {
    const key = keyOf(remote);
    const outbound = this.#outbound.obtain(key, () => this.#newOutbound(remote));
    if (outbound.failure !== undefined) this.#outbound.delete(key);
    await outbound.send(payload);
  }

  #senderOptions(): ReliableSenderOptions {
    const { window, maxRetransmissions, minRtoMs, maxRtoMs } = this.#options;
    return {
      stream: randomInt(2 ** 32),
      ...(window === undefined ? {} : { window }),
      ...(maxRetransmissions === undefined ? {} : { maxRetransmissions }),
      ...(minRtoMs === undefined ? {} : { minRtoMs }),
      ...(maxRtoMs === undefined ? {} : { maxRtoMs }),
    };
  }

  #newTracker(): SequenceTracker {
    const { sequenceWindow } = this.#options;
    return new SequenceTracker(sequenceWindow === undefined ? {} : { window: sequenceWindow });
  }

  #newOutbound(remote: Address | null): ReliableOutbound {
    return new ReliableOutbound(this.#senderOptions(), {
      // What doesn't leave now is repeated, as if the network had lost it.
      transmit: (datagram) => void this.#transmit(datagram, remote).catch(ignore),
      failed: (sequence, transmissions) => {
        const reason = `message ${sequence} was not acknowledged after ${transmissions} transmissions`;
        const error = new SocketError('framed', ETIMEDOUT, { address: remote, reason });
        this.emit('failed', error, remote);
        return error;
      },
    });
  }

  async #transmit(datagram: Buffer, remote: Address | null): Promise<void> {
    if (remote === null) await this.#socket.send(datagram);
    else await this.#socket.sendto(datagram, remote);
  }

  /**
   * Waits until everything sent `reliable` is acknowledged.
   *
   * @throws SocketError ETIMEDOUT when a peer acknowledges nothing
   */
  async flush(): Promise<void> {
    const all = [...this.#outbound.values()];
    await Promise.all(all.map((outbound) => outbound.settled()));
    const failed = all.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw failed.failure;
  }

  /** The messages as they come; leaving the loop leaves the socket open. */
  [Symbol.asyncIterator](): AsyncIterator<DatagramMessage<Message>, undefined> {
    return {
      next: () => this.#next(),
      return: () => Promise.resolve(END),
    };
  }

  #next(): Promise<IteratorResult<DatagramMessage<Message>, undefined>> {
    const value = this.#queue.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.resolve(END);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  async #read(): Promise<void> {
    for (;;) {
      try {
        const [datagram, remote] = await this.#socket.recvfrom(LARGEST_DATAGRAM);
        this.#receive(datagram, remote);
      } catch (error) {
        if (error instanceof SocketError && UNREACHABLE.has(error.code)) {
          this.emit('unreachable', error);
          continue;
        }
        this.#ended(error);
        return;
      }
    }
  }

  #ended(error: unknown): void {
    const isOver = this.#closing !== undefined || this.#socket.closed;
    if (!isOver) this.#failure = error;
    this.#closing ??= Promise.resolve();
    for (const outbound of this.#outbound.values()) outbound.stop(closedError());
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (isOver) resolve(END);
      else reject(error);
    }
  }

  #receive(datagram: Buffer, remote: Address | null): void {
    try {
      const packet = decodeSequenced(datagram);
      if (packet.type === 'ack') this.#acknowledged(packet, remote);
      else if (this.#queue.length >= this.#limits.maxQueued) this.#overflow(packet, remote);
      else if (packet.acknowledge) this.#takeReliable(packet, remote);
      else this.#takeTracked(packet, remote);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#totals.malformed++;
      this.emit('malformed', error, remote);
    }
  }

  #acknowledged(packet: AckPacket, remote: Address | null): void {
    // On a connected socket the peer was not named, but has a name.
    const outbound = this.#outbound.get(keyOf(remote)) ?? this.#outbound.get(keyOf(null));
    outbound?.acknowledged(packet);
  }

  #overflow({ sequence }: DataPacket, remote: Address | null): void {
    this.#totals.overflow++;
    this.emit('overflow', remote, sequence);
  }

  #takeReliable(packet: DataPacket, remote: Address | null): void {
    const { stream } = packet;
    const inbound = this.#inbound.obtain(`${keyOf(remote)} ${stream} reliable`, () => ({
      type: 'reliable',
      receiver: new ReliableReceiver({ stream }),
    }));
    if (inbound.type !== 'reliable') return;
    for (const action of inbound.receiver.receive(packet)) {
      if (action.type === 'deliver') {
        this.#delivery.received++;
        this.#deliver(action.payload, remote, action.sequence);
      } else if (action.type === 'acknowledge') {
        // An acknowledgement that is lost is asked for again.
        void this.#transmit(action.datagram, this.#isConnected ? null : remote).catch(ignore);
      } else if (action.type === 'held') {
        this.emit('gap', remote, action.missing, action.sequence);
      } else if (action.reason === 'duplicate') this.#duplicate(remote, action.sequence);
    }
  }

  #takeTracked({ stream, sequence, payload }: DataPacket, remote: Address | null): void {
    const inbound = this.#inbound.obtain(`${keyOf(remote)} ${stream}`, () => {
      const tracker = this.#newTracker();
      // The stream has just begun, at 0: what lies before this one may yet come, or is lost.
      if (sequence < STREAM_START) tracker.observe(BEFORE_FIRST);
      return { type: 'tracked', tracker };
    });
    if (inbound.type !== 'tracked') return;
    const verdict = inbound.tracker.observe(sequence);
    if (verdict.type === 'duplicate' || verdict.type === 'stale') {
      this.#duplicate(remote, sequence);
      return;
    }
    this.#delivery.received++;
    if (verdict.type === 'gap') this.emit('gap', remote, verdict.missing, sequence);
    if (verdict.type === 'reordered') {
      this.#delivery.reordered++;
      this.emit('reordered', remote, sequence);
    }
    this.#deliver(payload, remote, sequence);
  }

  #duplicate(remote: Address | null, sequence: number): void {
    this.#delivery.duplicates++;
    this.emit('duplicate', remote, sequence);
  }

  /** A datagram is a stream of its own: what it doesn't complete is lost. */
  #deliver(payload: Uint8Array, remote: Address | null, sequence: number): void {
    const decoder = this.#codec.decoder();
    for (const message of decoder.push(payload)) this.#hand({ message, remote, sequence });
    for (const message of decoder.end() ?? []) this.#hand({ message, remote, sequence });
  }

  #hand(value: DatagramMessage<Message>): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#queue.push(value);
    else waiter.resolve({ done: false, value });
  }

  /**
   * Waits until everything sent `reliable` is acknowledged, then closes the socket; closes as well
   * when it throws.
   *
   * @throws as `flush`
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (!this.#socket.closed) await this.flush();
    } finally {
      this.#socket.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const ignore = (): void => undefined;

function keyOf(remote: Address | null): string {
  return remote === null ? '' : formatAddress(remote);
}

function closedError(): SocketError {
  return new SocketError('send', EBADF, { reason: 'close() was called on the messages' });
}

function isConnected(socket: Socket<number>): boolean {
  try {
    socket.getpeername();
    return true;
  } catch {
    return false;
  }
}

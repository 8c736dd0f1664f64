import {
  type Endpoint,
  nanosecondsBetween,
  type PacketTime,
  RoundTripTimes,
} from './conversation-types.ts';

// Requests that wait for an answer, at most; the oldest are given up. Arbitrary, 17 minutes of ping.
const maxWaiting = 1024;

/** Echo requests of one identifier and their replies: a ping. */
export class IcmpConversation {
  readonly type = 'icmp';
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly identifier: number;
  readonly start: PacketTime;
  readonly roundTrips = new RoundTripTimes();
  end: PacketTime;
  requests = 0;
  replies = 0;
  readonly #waiting = new Map<number, PacketTime>();

  constructor(client: Endpoint, server: Endpoint, identifier: number, time: PacketTime) {
    this.client = client;
    this.server = server;
    this.identifier = identifier;
    this.start = time;
    this.end = time;
  }

  /** Requests without a reply. */
  get unanswered(): number {
    return Math.max(0, this.requests - this.replies);
  }

  request(sequence: number, time: PacketTime): void {
    this.end = time;
    this.requests++;
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= maxWaiting && oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(sequence, time);
  }

  /** The round trip in nanoseconds, undefined when the request wasn't seen or has its reply already. */
  reply(sequence: number, time: PacketTime): number | undefined {
    this.end = time;
    const asked = this.#waiting.get(sequence);
    if (asked === undefined) return undefined;
    this.#waiting.delete(sequence);
    this.replies++;
    const ns = nanosecondsBetween(asked, time);
    this.roundTrips.add(ns);
    return ns;
  }

  toJSON(): Record<string, unknown> {
    const { type, client, server, identifier, start, end, requests, replies, unanswered } = this;
    const { roundTrips } = this;
    return {
      type,
      client,
      server,
      identifier,
      start,
      end,
      requests,
      replies,
      unanswered,
      roundTrips,
    };
  }
}

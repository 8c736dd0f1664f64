// Datagrams may get lost, come twice, or come late, so that each has a number:
//
//   0        8        16
//   +--------+--------+---------//
//   | token  | number | filler
//   +--------+--------+---------//
//
// The token is random and tells the answers of this connection from those to an earlier one that had
// the same port.
import { randomBytes } from 'node:crypto';
import type { Traffic, TrafficContext } from './traffic.ts';

const TOKEN_BYTES = 8;
/** Bytes that every datagram has at least. */
export const DATAGRAM_HEADER_BYTES = 16;
// The kernel's bound for one call is 1,024 (UIO_MAXIOV), the library's 64.
const BATCH = 64;
// How exactly a datagram's deadline is kept: a tenth of it, within these bounds.
const SHORTEST_TICK_MS = 5;
const LONGEST_TICK_MS = 100;

interface Underway {
  readonly sentAt: number;
  readonly dueAt: number;
  readonly datagram: Buffer;
}

/** Sends datagrams and measures how long each takes to come back, and how many don't. */
export class DatagramEcho implements Traffic {
  #context: TrafficContext;
  #token = randomBytes(TOKEN_BYTES);
  /** By number; the oldest first. */
  #underway = new Map<number, Underway>();
  /** Buffers that nothing uses. */
  #free: Buffer[] = [];
  #offered: number;
  #sent = 0;
  #finished = 0;
  #isSending = false;
  #stop = new AbortController();
  #failure: unknown;

  constructor(context: TrafficContext) {
    this.#context = context;
    this.#offered = context.dueAt === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  offer(): void {
    this.#offered++;
    this.#pump();
  }

  get unanswered(): number {
    return Number.isFinite(this.#offered) ? this.#offered - this.#finished : 0;
  }

  async run(): Promise<void> {
    const { options } = this.#context;
    const tick = Math.min(Math.max(options.timeoutMs / 10, SHORTEST_TICK_MS), LONGEST_TICK_MS);
    const timer = setInterval(() => this.#expire(performance.now()), tick);
    try {
      this.#pump();
      await this.#receiveAll();
    } finally {
      clearInterval(timer);
    }
  }

  async #receiveAll(): Promise<void> {
    const { socket, options } = this.#context;
    const { signal } = this.#stop;
    for (;;) {
      try {
        const received = await socket.recvmmsg(BATCH, options.size + 1, 0, { signal });
        const now = performance.now();
        for (const { data } of received) this.#received(data, now);
        this.#pump();
      } catch (error) {
        if (this.#failure !== undefined) throw this.#failure;
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  #received(data: Buffer, now: number): void {
    const { options, measurements } = this.#context;
    const isOurs =
      data.length === options.size && data.subarray(0, TOKEN_BYTES).equals(this.#token);
    const number = isOurs ? data.readDoubleBE(TOKEN_BYTES) : -1;
    const found = this.#underway.get(number);
    // Somebody else's, the second of two, or so late that it counts as lost.
    if (found === undefined) return;
    measurements.received(data.length, now);
    measurements.answered(found.dueAt, now);
    this.#finish(number, found);
  }

  #finish(number: number, { datagram }: Underway): void {
    this.#underway.delete(number);
    this.#free.push(datagram);
    this.#finished++;
  }

  /** Gives up what has been under way for too long; ends the run after the last of it. */
  #expire(now: number): void {
    const { options, clock, measurements } = this.#context;
    for (const [number, found] of this.#underway) {
      if (found.sentAt + options.timeoutMs > now) break;
      if (clock.isMeasured(found.sentAt)) measurements.lost++;
      this.#finish(number, found);
    }
    if (!clock.isOver) this.#pump();
    else if (this.#underway.size === 0 || clock.interruptedAt !== undefined) this.#stop.abort();
  }

  #pump(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sendAll()
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#stop.abort();
      })
      .finally(() => {
        this.#isSending = false;
        // An answer that came between the last look and this asked in vain.
        if (this.#room() > 0 && !this.#context.clock.isOver && !this.#stop.signal.aborted) {
          this.#pump();
        }
      });
  }

  /** How many more may be under way. */
  #room(): number {
    const { depth } = this.#context.options;
    return Math.min(depth - this.#underway.size, this.#offered - this.#sent, BATCH);
  }

  /** Sends until as many are under way as may be. */
  async #sendAll(): Promise<void> {
    const { socket, clock } = this.#context;
    while (!clock.isOver) {
      const now = performance.now();
      const batch = this.#nextBatch(now);
      if (batch.length === 0) return;
      for (let done = 0; done < batch.length; ) {
        done += await socket.sendmmsg(batch.slice(done));
      }
    }
  }

  #nextBatch(now: number): { data: Buffer }[] {
    const { options, measurements, clock, dueAt } = this.#context;
    const batch: { data: Buffer }[] = [];
    for (let room = this.#room(); room > 0; room--) {
      const number = this.#sent++;
      const datagram = this.#free.pop() ?? Buffer.alloc(options.size);
      this.#token.copy(datagram);
      datagram.writeDoubleBE(number, TOKEN_BYTES);
      this.#underway.set(number, { sentAt: now, dueAt: dueAt?.(number) ?? now, datagram });
      measurements.sent(options.size, now);
      if (clock.isMeasured(now)) measurements.offered++;
      batch.push({ data: datagram });
    }
    return batch;
  }
}

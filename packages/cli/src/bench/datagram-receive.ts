import { setTimeout as sleep } from 'node:timers/promises';
import { PREAMBLE, SOURCE_LEASE_MS } from './bench-protocol.ts';
import { datagramCookie } from './datagram-request.ts';
import type { Traffic, TrafficContext } from './traffic.ts';

const BATCH = 64;
const COOKIE_MS = 3000;

/** Has the server send datagrams, and counts those that come and those that don't. */
export class DatagramReceive implements Traffic {
  readonly unanswered = 0;
  #context: TrafficContext;
  #received = 0;
  /** The first number after the warm-up, and one more than the highest that came. */
  #first: number | undefined;
  #numbered = 0;

  constructor(context: TrafficContext) {
    this.#context = context;
  }

  /** The server has the pace. */
  offer(): void {}

  async run(): Promise<void> {
    const { socket, clock, measurements } = this.#context;
    const { signal } = clock;
    const cookie = await datagramCookie(socket, COOKIE_MS);
    const renewing = this.#renew(cookie);
    renewing.catch(() => undefined);
    try {
      await this.#receiveAll();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    const offered = this.#numbered - (this.#first ?? 0);
    measurements.offered += offered;
    measurements.lost += Math.max(offered - this.#received, 0);
  }

  async #receiveAll(): Promise<void> {
    const { socket, clock, measurements, options } = this.#context;
    const { signal } = clock;
    for (;;) {
      const received = await socket.recvmmsg(BATCH, options.size, 0, { signal });
      const now = performance.now();
      for (const { data } of received) {
        if (data.length !== options.size) continue;
        if (clock.isMeasured(now)) this.#count(data.readDoubleBE(0));
        measurements.received(data.length, now);
        measurements.moved(1, now);
      }
    }
  }

  /** One of the warm-up that comes late is none of those that are counted. */
  #count(number: number): void {
    this.#first ??= number;
    if (number < this.#first) return;
    this.#received++;
    this.#numbered = Math.max(this.#numbered, number + 1);
  }

  /** The server stops by itself when nobody asks any more. */
  async #renew(cookie: string): Promise<void> {
    const { socket, clock, options } = this.#context;
    const { signal } = clock;
    const request = Buffer.from(`${PREAMBLE}source ${options.size} ${cookie}`);
    while (!signal.aborted) {
      await socket.send(request, 0, { signal });
      await sleep(SOURCE_LEASE_MS / 4, undefined, { signal });
    }
  }
}

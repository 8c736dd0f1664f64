import { setImmediate as turn } from 'node:timers/promises';
import { WARM_UP_MARK } from './bench-protocol.ts';
import { datagramCookie, datagramRequest } from './datagram-request.ts';
import type { Traffic, TrafficContext } from './traffic.ts';

// Sends that the kernel takes at once need no turn of the event loop, which timers and signals do.
const SENDS_A_TURN = 16;
const BATCH = 64;
// Arbitrary: how long the server may take to count what its buffer holds.
const REPORT_MS = 3000;

/** Sends datagrams as fast as the kernel takes them, and asks the server how many came. */
export class DatagramSend implements Traffic {
  readonly unanswered = 0;
  #context: TrafficContext;
  #offered: number;
  #wake: (() => void) | undefined;
  /** Datagrams after the warm-up. */
  #counted = 0;

  constructor(context: TrafficContext) {
    this.#context = context;
    this.#offered = context.dueAt === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  offer(): void {
    this.#offered++;
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { socket, clock, measurements } = this.#context;
    const cookie = await datagramCookie(socket, REPORT_MS);
    const ready = { expected: /^sockeye-bench ready$/, timeoutMs: REPORT_MS };
    if ((await datagramRequest(socket, `discard ${cookie}`, ready)) === undefined) {
      throw new Error('the server did not answer');
    }
    await this.#sendAll();
    if (clock.interruptedAt !== undefined) return;
    const expected = /^sockeye-bench received (\d{1,16}) (\d{1,16})$/;
    const report = { expected, timeoutMs: REPORT_MS };
    const found = await datagramRequest(socket, `report ${cookie}`, report);
    if (found === undefined) throw new Error('the server did not say how much it received');
    const count = Number(found[1]);
    measurements.reports++;
    measurements.serverMessages = (measurements.serverMessages ?? 0) + count;
    measurements.serverBytes = (measurements.serverBytes ?? 0) + Number(found[2]);
    measurements.offered += this.#counted;
    measurements.lost += Math.max(this.#counted - count, 0);
  }

  async #sendAll(): Promise<void> {
    const { socket, clock, measurements, options } = this.#context;
    const early = batchOf(options.size, WARM_UP_MARK);
    const counted = batchOf(options.size, 'bench');
    for (let sends = 1; !clock.isOver; sends++) {
      if (this.#offered < 1) await this.#nextOffer();
      const wanted = Math.min(this.#offered, BATCH);
      if (wanted < 1) continue;
      // The mark goes with the datagram: the time at which it is made decides whether it counts.
      const now = performance.now();
      const isCounted = clock.isMeasured(now);
      const batch = isCounted ? counted : early;
      const sent = await socket.sendmmsg(wanted === BATCH ? batch : batch.slice(0, wanted));
      this.#offered -= sent;
      if (isCounted) this.#counted += sent;
      measurements.sent(sent * options.size, now);
      measurements.moved(sent, now);
      if (sends % SENDS_A_TURN === 0) await turn();
    }
  }

  /** Waits for the schedule, or the end. */
  #nextOffer(): Promise<void> {
    const { signal } = this.#context.clock;
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function batchOf(size: number, text: string): { data: Buffer }[] {
  const data = Buffer.alloc(size, text);
  return Array.from({ length: BATCH }, () => ({ data }));
}

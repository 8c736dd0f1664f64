import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { SHUT_WR } from '@sockeye/net';
import { streamPreamble } from './bench-protocol.ts';
import type { BenchStream } from './bench-stream.ts';
import type { Traffic, TrafficContext } from './traffic.ts';

const RECEIVE_BYTES = 64 * 1024;
// The server's last line is shorter: "received " and 16 digits.
const TAIL_BYTES = 64;
// Arbitrary: how long the server may take to read what the buffers hold, and to say so.
const REPORT_MS = 3000;

/** Sends as fast as the connection takes it, and asks the server how much that was. */
export class StreamSend implements Traffic {
  readonly unanswered = 0;
  #context: TrafficContext<BenchStream>;
  #message: Buffer;
  #tail = Buffer.alloc(0);
  #offered: number;
  #wake: (() => void) | undefined;
  /** The first bytes of the stream, which don't count. */
  #warmUpBytes = 0;

  constructor(context: TrafficContext<BenchStream>) {
    this.#context = context;
    this.#message = Buffer.alloc(context.options.size, 'bench');
    this.#offered = context.dueAt === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  offer(): void {
    this.#offered++;
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { socket, options, clock } = this.#context;
    const preamble = streamPreamble('send', options.size);
    if (preamble !== undefined) await socket.sendall(Buffer.from(preamble));
    const ended = this.#readAll();
    ended.catch(() => undefined);
    const senders = Promise.all(Array.from({ length: options.depth }, () => this.#sendAll()));
    await Promise.race([senders, this.#untilLate()]);
    if (clock.interruptedAt !== undefined) return;
    // What the system is still to send counts as sent; the server's line tells what arrived.
    socket.shutdown(SHUT_WR);
    await Promise.race([ended, sleep(REPORT_MS, undefined, { ref: false })]);
    this.#readReport();
  }

  /** A server that no longer reads holds up the last sends. A signal for each would cost two thirds of the rate. */
  async #untilLate(): Promise<void> {
    const { clock } = this.#context;
    if (!clock.signal.aborted) await once(clock.signal, 'abort');
    if (clock.interruptedAt === undefined) await sleep(REPORT_MS, undefined, { ref: false });
  }

  async #sendAll(): Promise<void> {
    const { socket, clock, measurements, options } = this.#context;
    const { signal } = clock;
    while (!clock.isOver) {
      try {
        if (this.#offered < 1) {
          await this.#nextOffer();
          continue;
        }
        this.#offered--;
        await socket.sendall(this.#message);
        const now = performance.now();
        if (now < clock.measureFrom) this.#warmUpBytes += options.size;
        measurements.sent(options.size, now);
        measurements.moved(1, now);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  /** Waits for the schedule, or the end. */
  #nextOffer(): Promise<void> {
    const { signal } = this.#context.clock;
    return new Promise((resolve) => {
      const previous = this.#wake;
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        previous?.();
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Takes whatever the server says: an echo that nobody reads would stop it. */
  async #readAll(): Promise<void> {
    const { socket } = this.#context;
    const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    for (;;) {
      const bytes = await socket.recvInto(buffer);
      if (bytes === 0) return;
      const piece = buffer.subarray(Math.max(bytes - TAIL_BYTES, 0), bytes);
      this.#tail = Buffer.concat([this.#tail, piece]).subarray(-TAIL_BYTES);
    }
  }

  #readReport(): void {
    const { measurements } = this.#context;
    const [, bytes] = /^received (\d{1,16})\n$/.exec(this.#tail.toString('latin1')) ?? [];
    if (bytes === undefined) return;
    measurements.reports++;
    // The last message may have left after the time.
    const arrived = Math.max(Number(bytes) - this.#warmUpBytes, 0);
    measurements.serverBytes = (measurements.serverBytes ?? 0) + arrived;
  }
}

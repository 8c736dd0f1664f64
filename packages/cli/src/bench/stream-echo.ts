import type { BenchStream } from './bench-stream.ts';
import type { Traffic, TrafficContext } from './traffic.ts';
import { EchoPattern } from './echo-pattern.ts';

/** Sends messages on a connection and measures how long each takes to come back. */
export class StreamEcho implements Traffic {
  #context: TrafficContext<BenchStream>;
  #pattern: EchoPattern;
  /** When each message under way was due; by its index modulo the depth. */
  #due: Float64Array;
  #offered: number;
  #sent = 0;
  #answered = 0;
  #receivedBytes = 0;
  #failure: unknown;

  constructor(context: TrafficContext<BenchStream>) {
    this.#context = context;
    this.#pattern = new EchoPattern(context.options.size);
    this.#due = new Float64Array(context.options.depth);
    this.#offered = context.dueAt === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  offer(): void {
    this.#offered++;
    this.#pump(performance.now());
  }

  get unanswered(): number {
    return Number.isFinite(this.#offered) ? this.#offered - this.#answered : 0;
  }

  async run(): Promise<void> {
    const { socket, clock } = this.#context;
    const { signal } = clock;
    const buffer = Buffer.allocUnsafeSlow(this.#pattern.maxPieceBytes);
    this.#pump(performance.now());
    while (!signal.aborted) {
      try {
        const bytes = await socket.recvInto(buffer, 0, 0, { signal });
        if (bytes === 0) throw new Error('the server closed the connection');
        this.#received(buffer.subarray(0, bytes));
      } catch (error) {
        if (signal.aborted) return;
        throw this.#failure ?? error;
      }
    }
  }

  #received(data: Buffer): void {
    const { options, measurements } = this.#context;
    const now = performance.now();
    const piece = this.#pattern.afterGreeting(data);
    if (piece.length === 0) return;
    this.#pattern.expect(piece);
    measurements.received(piece.length, now);
    this.#receivedBytes += piece.length;
    const whole = Math.floor(this.#receivedBytes / options.size);
    if (whole > this.#sent) throw new Error('the server sends more than it was sent');
    for (; this.#answered < whole; this.#answered++) {
      measurements.answered(this.#due[this.#answered % options.depth] ?? now, now);
    }
    this.#pump(now);
  }

  /** Sends what may be under way. */
  #pump(now: number): void {
    const { socket, options, measurements, clock, dueAt } = this.#context;
    if (clock.signal.aborted || now >= clock.endsAt) return;
    while (this.#sent < this.#offered && this.#sent - this.#answered < options.depth) {
      this.#due[this.#sent % options.depth] = dueAt?.(this.#sent) ?? now;
      this.#sent++;
      measurements.sent(options.size, now);
      socket.sendall(this.#pattern.message).catch((error: unknown) => {
        this.#failure ??= error;
        // Wakes the receive, which throws the failure.
        socket.close();
      });
    }
  }
}

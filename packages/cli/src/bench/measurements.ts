import { LatencyHistogram } from './latency-histogram.ts';
import type { RunClock } from './run-clock.ts';

/** What all connections of a run have measured together. */
export class Measurements {
  readonly latencies = new LatencyHistogram();
  /** Messages: answered in echo mode, else taken by the kernel or received. */
  messages = 0;
  bytesSent = 0;
  bytesReceived = 0;
  /** Datagrams that got no answer in time, or that the server did not count. */
  lost = 0;
  /** Datagrams that loss is counted of. */
  offered = 0;
  /** What the server says that it received after the warm-up, where it says so. */
  serverBytes: number | undefined;
  serverMessages: number | undefined;
  /** Connections of which the server said so. */
  reports = 0;
  /** Connections that broke. */
  failures = 0;
  firstFailure: unknown;
  #clock: RunClock;

  constructor(clock: RunClock) {
    this.#clock = clock;
  }

  /** @param now of the monotonic clock, in ms */
  sent(bytes: number, now: number): void {
    if (this.#clock.isMeasured(now)) this.bytesSent += bytes;
  }

  received(bytes: number, now: number): void {
    if (this.#clock.isMeasured(now)) this.bytesReceived += bytes;
  }

  /** Counts messages that have no latency. */
  moved(messages: number, now: number): void {
    if (this.#clock.isMeasured(now)) this.messages += messages;
  }

  /** Counts an answer that came, to a message that was to be sent at a time. */
  answered(dueAt: number, now: number): void {
    if (!this.#clock.isMeasured(now)) return;
    this.messages++;
    this.latencies.record((now - dueAt) * 1e6);
  }

  failed(error: unknown): void {
    this.failures++;
    this.firstFailure ??= error;
  }
}

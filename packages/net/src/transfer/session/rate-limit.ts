import { setTimeout } from 'node:timers/promises';

// Bytes that may go out at once after a pause, in seconds of the rate. Arbitrary.
const BURST_SECONDS = 0.1;

/** Spreads bytes over time. */
export class RateLimit {
  readonly #bytesPerSecond: number;
  #nextAt = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when so many bytes may go out. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    this.#nextAt = Math.max(this.#nextAt, now - BURST_SECONDS * 1000);
    this.#nextAt += (bytes / this.#bytesPerSecond) * 1000;
    const ms = this.#nextAt - now;
    if (ms > 0) await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  }
}

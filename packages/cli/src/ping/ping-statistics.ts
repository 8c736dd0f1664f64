/** Round-trip times in milliseconds. */
export interface RoundTrips {
  readonly minMs: number;
  readonly avgMs: number;
  readonly maxMs: number;
  /** The standard deviation. */
  readonly mdevMs: number;
}

/** What a run has come to. */
export class PingStatistics {
  transmitted = 0;
  received = 0;
  duplicates = 0;
  corrupted = 0;
  errors = 0;
  /** From the first request to the last event. */
  elapsedMs = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #mean = 0;
  #squares = 0;
  #count = 0;

  /** Takes the round trip of a reply, duplicates too, as iputils does. */
  addRoundTrip(ms: number): void {
    this.#min = Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
    this.#count++;
    // Welford's: the sum of squares would lose the digits that matter.
    const delta = ms - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (ms - this.#mean);
  }

  /** undefined before the first reply. */
  get roundTrips(): RoundTrips | undefined {
    if (this.#count === 0) return undefined;
    return {
      minMs: this.#min,
      avgMs: this.#mean,
      maxMs: this.#max,
      mdevMs: Math.sqrt(this.#squares / this.#count),
    };
  }

  /** In per cent of what was transmitted. */
  get loss(): number {
    if (this.transmitted === 0) return 0;
    return (Math.max(this.transmitted - this.received, 0) * 100) / this.transmitted;
  }
}

/** Bounds of {@link RetransmissionTimeout}, milliseconds. */
export interface RetransmissionTimeoutOptions {
  /** Lower bound. Default 1,000, which RFC 6298 (2.4) recommends; Linux's TCP uses 200. */
  minRtoMs?: number;
  /** Upper bound. Default 60,000, the least that RFC 6298 (2.5) permits. */
  maxRtoMs?: number;
}

/** RFC 6298, section 2. */
const INITIAL_RTO_MS = 1000;
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;
/** The clock is performance.now() or finer in practice; 1 ms is what timers of Node.js resolve. */
const GRANULARITY_MS = 1;

/**
 * How long to wait for an acknowledgement: SRTT, RTTVAR and RTO of RFC 6298, section 2, with the
 * doubling of its rule 5.5. Feed it only round trips of packets that were sent once (Karn's
 * algorithm, section 3).
 */
export class RetransmissionTimeout {
  readonly #min: number;
  readonly #max: number;
  #smoothed: number | undefined;
  #variation = 0;
  #rto: number;

  constructor({ minRtoMs = 1000, maxRtoMs = 60_000 }: RetransmissionTimeoutOptions = {}) {
    if (!(minRtoMs > 0 && minRtoMs <= maxRtoMs && maxRtoMs < Infinity)) {
      throw new RangeError(
        `Cannot set retransmission timeout: minRtoMs ${minRtoMs} and maxRtoMs ${maxRtoMs}, 0 < minRtoMs <= maxRtoMs < Infinity is needed`,
      );
    }
    this.#min = minRtoMs;
    this.#max = maxRtoMs;
    this.#rto = this.#bounded(INITIAL_RTO_MS);
  }

  /** The timeout now, milliseconds. */
  get rtoMs(): number {
    return this.#rto;
  }

  /** The smoothed round-trip time, milliseconds; undefined before the first sample. */
  get smoothedMs(): number | undefined {
    return this.#smoothed;
  }

  /** Takes a measured round trip; ends the doubling. */
  sample(roundTripMs: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = roundTripMs;
      this.#variation = roundTripMs / 2;
    } else {
      // The variation first: it uses the old mean (2.3).
      const deviation = Math.abs(this.#smoothed - roundTripMs);
      this.#variation = (1 - BETA) * this.#variation + BETA * deviation;
      this.#smoothed = (1 - ALPHA) * this.#smoothed + ALPHA * roundTripMs;
    }
    this.#rto = this.#bounded(this.#smoothed + Math.max(GRANULARITY_MS, K * this.#variation));
  }

  /** The timer expired: doubles the timeout (5.5). */
  backOff(): void {
    this.#rto = this.#bounded(2 * this.#rto);
  }

  #bounded(milliseconds: number): number {
    return Math.min(this.#max, Math.max(this.#min, milliseconds));
  }
}

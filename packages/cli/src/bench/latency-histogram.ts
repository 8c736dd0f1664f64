// Log-linear, as HdrHistogram: a power of two is cut into 128 equal parts, so that a value is known
// to 1/128 of itself at any magnitude, in memory that doesn't grow. Values are whole nanoseconds.
//
//   0 … 255         a bucket each
//   256 … 511       128 buckets of 2
//   512 … 1023      128 buckets of 4, and so on up to 2^43 (2.4 hours)
const PARTS = 128;
const EXACT = 2 * PARTS;
const MAX_EXPONENT = 43;
const MAX_NS = 2 ** MAX_EXPONENT - 1;
// The exponent of EXACT.
const FIRST_EXPONENT = 8;
const BUCKETS = EXACT + (MAX_EXPONENT - FIRST_EXPONENT) * PARTS;

/** Counts latencies and gives their percentiles to within 1/128, the extremes exactly. */
export class LatencyHistogram {
  #counts = new Float64Array(BUCKETS);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #sum = 0;

  /** @param ns nanoseconds; below 0 counts as 0, above 2.4 hours as that */
  record(ns: number): void {
    const value = Math.min(Math.max(Math.round(ns), 0), MAX_NS);
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  get count(): number {
    return this.#count;
  }

  get minNs(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get maxNs(): number {
    return this.#max;
  }

  get meanNs(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /**
   * The value that this share of all values doesn't exceed: never less than the true one, and at most
   * 1/128 more.
   *
   * @param percent 0…100
   */
  percentileNs(percent: number): number {
    // 99.9 % of 1,000 is 999, which binary fractions miss by a little.
    const wanted = Math.max(Math.ceil((percent / 100) * this.#count - 1e-6), 1);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(lastOf(bucket), this.#max);
    }
    return this.#max;
  }
}

function bucketOf(value: number): number {
  if (value < EXACT) return value;
  const exponent = Math.floor(Math.log2(value));
  // log2 of a number just below a power of two may round up to it.
  const power = value < 2 ** exponent ? exponent - 1 : exponent;
  const part = Math.floor(value / 2 ** (power - FIRST_EXPONENT + 1)) - PARTS;
  return EXACT + (power - FIRST_EXPONENT) * PARTS + part;
}

/** The highest value of a bucket. */
function lastOf(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const power = Math.floor((bucket - EXACT) / PARTS) + FIRST_EXPONENT;
  const part = (bucket - EXACT) % PARTS;
  return (PARTS + part + 1) * 2 ** (power - FIRST_EXPONENT + 1) - 1;
}

const wordSize = 4294967296n;
const nanosecondsPerSecond = 1_000_000_000;

/**
 * Splits the 64-bit timestamps of a pcapng interface into seconds and nanoseconds, exactly.
 *
 * The upper word changes every 4.3 s at nanosecond resolution: its share is worked out with bigints
 * when it changes, and the lower word is added in plain numbers.
 */
export class TimeScale {
  seconds = 0;
  nanoseconds = 0;
  readonly #unitsPerSecond: bigint;
  readonly #offsetSeconds: number;
  #high = -1;
  #highSeconds = 0;
  #highUnits = 0;

  /** `resolution` is if_tsresol: a power of ten, or with its highest bit of two; `offsetSeconds` is if_tsoffset. */
  constructor(resolution: number, offsetSeconds: bigint) {
    const exponent = BigInt(resolution & 0x7f);
    this.#unitsPerSecond = (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
    this.#offsetSeconds = Number(offsetSeconds);
  }

  /** Sets `seconds` and `nanoseconds`; what is finer than a nanosecond is cut off. */
  split(high: number, low: number): void {
    if (this.#unitsPerSecond > 1_000_000_000n) return this.#splitFine(high, low);
    const units = Number(this.#unitsPerSecond);
    if (high !== this.#high) this.#setHigh(high);
    const total = this.#highUnits + low;
    const whole = Math.floor(total / units);
    this.seconds = this.#offsetSeconds + this.#highSeconds + whole;
    this.nanoseconds = Math.floor(((total - whole * units) * nanosecondsPerSecond) / units);
  }

  #setHigh(high: number): void {
    const base = BigInt(high) * wordSize;
    this.#high = high;
    this.#highSeconds = Number(base / this.#unitsPerSecond);
    this.#highUnits = Number(base % this.#unitsPerSecond);
  }

  #splitFine(high: number, low: number): void {
    const total = BigInt(high) * wordSize + BigInt(low);
    const rest = total % this.#unitsPerSecond;
    this.seconds = this.#offsetSeconds + Number(total / this.#unitsPerSecond);
    this.nanoseconds = Number((rest * 1_000_000_000n) / this.#unitsPerSecond);
  }
}

const EMPTY = Buffer.alloc(0);
/** Arbitrary: a cache line, so that a frame that comes byte by byte doesn't grow 1, 2, 4, … */
const SMALLEST_CAPACITY = 64;

/**
 * The bytes of an unfinished frame, copied out of the chunks that brought them.
 *
 * Capacity doubles with the bytes received, so that appending is linear altogether, and never runs
 * ahead to a length that was only announced.
 */
export class Carry {
  /** Holds the bytes from 0 to `length`; what lies behind is undefined. */
  bytes: Buffer = EMPTY;
  length = 0;

  /** Appends source[from, to). `limit` is the most that this frame will need, 0 if unknown. */
  append(source: Buffer, { from, to, limit }: { from: number; to: number; limit: number }): void {
    const length = this.length + to - from;
    if (length > this.bytes.length) this.#grow(length, limit);
    if (to - from === 1) this.bytes[this.length] = source[from] ?? 0;
    else source.copy(this.bytes, this.length, from, to);
    this.length = length;
  }

  /** Gives the bytes away: from here on they are the caller's. */
  take(): Buffer {
    const whole = this.bytes.subarray(0, this.length);
    this.bytes = EMPTY;
    this.length = 0;
    return whole;
  }

  #grow(length: number, limit: number): void {
    const doubled = Math.max(2 * length, SMALLEST_CAPACITY);
    const capacity = limit === 0 ? doubled : Math.max(length, Math.min(limit, doubled));
    const grown = Buffer.allocUnsafe(capacity);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/**
 * Finds a byte sequence again and again in a stream that comes in chunks, looking at each byte a
 * bounded number of times whatever the cuts.
 *
 * Inside a chunk `Buffer.indexOf` searches, which is native. Only where a chunk's end may have cut
 * the sequence does the automaton of Knuth, Morris and Pratt (1977) go byte by byte; its state, the
 * length of the longest beginning of the sequence that ends the stream so far, is all that is
 * carried to the next chunk. Buffer.indexOf alone may look at a byte up to `pattern.length` times.
 */
export class ByteSearch {
  readonly pattern: Buffer;
  /** Width in bytes of the units that matches must be aligned to, counted from the last match. */
  readonly #unit: number;
  readonly #fallback: Uint16Array;
  /** Bytes since the last match, modulo the unit. */
  #phase = 0;
  /** How many bytes at the end of the stream may turn out to belong to the pattern. */
  matched = 0;

  constructor(pattern: Buffer, unit = 1, fallback: Uint16Array = fallbacks(pattern)) {
    this.pattern = pattern;
    this.#unit = unit;
    this.#fallback = fallback;
  }

  /** A search for the same pattern at the start of another stream. */
  fresh(): ByteSearch {
    return new ByteSearch(this.pattern, this.#unit, this.#fallback);
  }

  /** Whether `content` and the pattern behind it hold the pattern anywhere but at the very end. */
  cuts(content: Buffer): boolean {
    const { pattern } = this;
    if (content.includes(pattern)) return true;
    // A match across the border needs a pattern that starts as it ends.
    if (this.#fallback[pattern.length] === 0) return false;
    const search = this.fresh();
    search.next(content.subarray(Math.max(0, content.length - pattern.length + 1)), 0);
    return search.next(pattern, 0) < pattern.length;
  }

  /** Index behind the next match in `chunk` from `from` on; −1 when the chunk is used up. */
  next(chunk: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const to = this.#nextUnaligned(chunk, at);
      this.#phase = (this.#phase + (to < 0 ? chunk.length : to) - at) % this.#unit;
      if (to < 0) return -1;
      // The pattern is a whole number of units, so its end is aligned when its start is.
      if (this.#phase === 0) {
        this.matched = 0;
        return to;
      }
      this.matched = this.#fallback[this.pattern.length] ?? 0;
      at = to;
    }
  }

  #nextUnaligned(chunk: Buffer, from: number): number {
    const { pattern } = this;
    let at = from;
    while (this.matched > 0 && at < chunk.length) {
      this.#step(chunk[at++] ?? 0);
      if (this.matched === pattern.length) return at;
    }
    if (at === chunk.length) return -1;
    const found =
      pattern.length === 1 ? chunk.indexOf(pattern[0] ?? 0, at) : chunk.indexOf(pattern, at);
    if (found >= 0) return found + pattern.length;
    for (at = Math.max(at, chunk.length - pattern.length + 1); at < chunk.length; at++) {
      this.#step(chunk[at] ?? 0);
    }
    return -1;
  }

  #step(byte: number): void {
    let state = this.matched;
    while (state > 0 && this.pattern[state] !== byte) state = this.#fallback[state] ?? 0;
    this.matched = this.pattern[state] === byte ? state + 1 : 0;
  }
}

/** For each number of bytes matched: the longest shorter beginning that these bytes also end with. */
function fallbacks(pattern: Buffer): Uint16Array {
  const table = new Uint16Array(pattern.length + 1);
  let state = 0;
  for (let at = 1; at < pattern.length; at++) {
    while (state > 0 && pattern[state] !== pattern[at]) state = table[state] ?? 0;
    if (pattern[state] === pattern[at]) state++;
    table[at + 1] = state;
  }
  return table;
}

import { serialAdd, serialDistance } from './serial-number.ts';

/** Bytes of a stream in order, or a hole that was given up. */
export type StreamPart =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'gap'; readonly missing: number };

/** Bounds of a reassembler. */
export interface StreamReassemblerOptions {
  /** Bytes held while a hole is open; default 1 MiB, above it the hole becomes a gap. */
  readonly maxBufferedBytes?: number;
}

interface Held {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

// Bookkeeping of a held segment, so that tiny ones are bounded too; arbitrary.
const overheadBytes = 64;

/**
 * Puts the segments of one direction of a TCP connection in order.
 *
 * `push()` gives what is in order now: views of the segment where it came in order, copies where it
 * had to wait. Of bytes that were sent twice the first copy counts. The stream begins with the SYN
 * (`start()`), or with the first segment when there was none.
 *
 * @example
 * ```ts
 * const stream = new StreamReassembler();
 * stream.start(100);
 * assert.deepEqual(stream.push(102, Uint8Array.of(3)), []);
 * const parts = stream.push(100, Uint8Array.of(1, 2));
 * assert.deepEqual(parts.map((part) => part.type === 'data' && part.bytes.length), [2, 1]);
 * ```
 */
export class StreamReassembler {
  readonly #maxBufferedBytes: number;
  #next = -1;
  #held: Held[] = [];
  #heldBytes = 0;

  constructor(options: StreamReassemblerOptions = {}) {
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 1024 * 1024;
  }

  /** Bytes that wait for a hole to be filled. */
  get bufferedBytes(): number {
    return this.#heldBytes;
  }

  /** Sets the sequence number of the first byte; ignored once the stream has begun. */
  start(sequence: number): void {
    if (this.#next < 0) this.#next = sequence;
  }

  push(sequence: number, bytes: Uint8Array): StreamPart[] {
    if (bytes.length === 0) return [];
    this.start(sequence);
    const parts: StreamPart[] = [];
    if (serialDistance(sequence, this.#next) > 0) this.#hold(sequence, new Uint8Array(bytes));
    else this.#deliver(sequence, bytes, parts);
    while (this.#heldBytes > this.#maxBufferedBytes) this.#giveUp(parts);
    return parts;
  }

  /** What is still held, with the gaps before it; for the end of a capture. */
  end(): StreamPart[] {
    const parts: StreamPart[] = [];
    while (this.#held.length > 0) this.#giveUp(parts);
    return parts;
  }

  #deliver(sequence: number, bytes: Uint8Array, parts: StreamPart[]): void {
    this.#append(sequence, bytes, parts);
    for (;;) {
      const first = this.#held[0];
      if (first === undefined || serialDistance(first.sequence, this.#next) > 0) return;
      this.#held.shift();
      this.#heldBytes -= first.bytes.length + overheadBytes;
      this.#append(first.sequence, first.bytes, parts);
    }
  }

  #append(sequence: number, bytes: Uint8Array, parts: StreamPart[]): void {
    const fresh = bytes.subarray(serialDistance(this.#next, sequence));
    if (fresh.length === 0) return;
    this.#next = serialAdd(this.#next, fresh.length);
    parts.push({ type: 'data', bytes: fresh });
  }

  #hold(sequence: number, bytes: Uint8Array): void {
    let at = this.#held.length;
    while (at > 0 && serialDistance(this.#held[at - 1]!.sequence, sequence) > 0) at--;
    this.#held.splice(at, 0, { sequence, bytes });
    this.#heldBytes += bytes.length + overheadBytes;
  }

  #giveUp(parts: StreamPart[]): void {
    const first = this.#held.shift();
    if (first === undefined) return;
    this.#heldBytes -= first.bytes.length + overheadBytes;
    const missing = serialDistance(first.sequence, this.#next);
    if (missing > 0) {
      parts.push({ type: 'gap', missing });
      this.#next = first.sequence;
    }
    this.#deliver(first.sequence, first.bytes, parts);
  }
}

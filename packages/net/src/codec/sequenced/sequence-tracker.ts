import { addSerial, nextSerial, serialDistance } from './serial-number.ts';

/** What the arrival of a number means. */
export type SequenceVerdict =
  /** The number after the highest so far, or the first of all. */
  | { readonly type: 'next' }
  /** Higher than that: `missing` numbers were skipped, and may yet come. */
  | { readonly type: 'gap'; readonly missing: number }
  /** A skipped number that came after all. */
  | { readonly type: 'reordered' }
  /** A number that had come before. */
  | { readonly type: 'duplicate' }
  /** Too old to be told: before the first number or `window` behind the highest. */
  | { readonly type: 'stale' };

/** Totals since the start. */
export interface SequenceCounts {
  /** Arrivals that were no duplicates and not stale. */
  received: number;
  /** Skipped numbers that may yet come. */
  missing: number;
  /** Skipped numbers given up: the highest is `window` ahead of them. */
  lost: number;
  duplicates: number;
  reordered: number;
  stale: number;
}

/** How many numbers back a late arrival is still recognised; arbitrary. */
const DEFAULT_WINDOW = 1024;

/**
 * Detects loss, duplication and reordering from the numbers of arriving datagrams.
 *
 * It observes only: nothing is held back, asked for again or put in order. Numbers lost before the
 * first or after the last arrival can't be seen, nor can loss of 2³¹ in a row. Memory: at most
 * `window` numbers.
 *
 * @example
 * const tracker = new SequenceTracker();
 * const verdicts = [7, 9, 8, 8].map((sequence) => tracker.observe(sequence).type);
 * assert.deepEqual(verdicts, ['next', 'gap', 'reordered', 'duplicate']);
 */
export class SequenceTracker {
  readonly #window: number;
  readonly #missing = new Set<number>();
  readonly #totals = { received: 0, lost: 0, duplicates: 0, reordered: 0, stale: 0 };
  #highest: number | undefined;
  /** How many numbers up to the highest have a verdict, at most the window. */
  #known = 1;

  /** `window`: how many numbers back a late arrival is recognised, 1 to 65,536. Default 1,024. */
  constructor({ window = DEFAULT_WINDOW }: { window?: number } = {}) {
    if (!Number.isInteger(window) || window < 1 || window > 65_536) {
      throw new RangeError(
        `Cannot track sequence: window ${window}, an integer from 1 to 65536 is needed`,
      );
    }
    this.#window = window;
  }

  get counts(): SequenceCounts {
    return { ...this.#totals, missing: this.#missing.size };
  }

  /** Takes the number of a datagram that has arrived. */
  observe(sequence: number): SequenceVerdict {
    const ahead = this.#highest === undefined ? 1 : serialDistance(this.#highest, sequence);
    return ahead > 0 ? this.#advance(sequence, ahead) : this.#late(sequence, -ahead);
  }

  #advance(sequence: number, ahead: number): SequenceVerdict {
    const missing = ahead - 1;
    // After a jump the distance to older numbers could wrap and make them look recent.
    if (ahead >= this.#window) this.#forget();
    const remembered = Math.min(missing, this.#window - 1);
    this.#totals.received++;
    this.#totals.lost += missing - remembered;
    for (let back = remembered; back > 0; back--) this.#missing.add(addSerial(sequence, -back));
    if (this.#highest !== undefined) this.#known = Math.min(this.#known + ahead, this.#window);
    this.#highest = sequence;
    this.#giveUp(sequence);
    return missing === 0 ? { type: 'next' } : { type: 'gap', missing };
  }

  #late(sequence: number, behind: number): SequenceVerdict {
    if (behind >= this.#known) {
      this.#totals.stale++;
      return { type: 'stale' };
    }
    if (!this.#missing.delete(sequence)) {
      this.#totals.duplicates++;
      return { type: 'duplicate' };
    }
    this.#totals.received++;
    this.#totals.reordered++;
    return { type: 'reordered' };
  }

  #forget(): void {
    this.#totals.lost += this.#missing.size;
    this.#missing.clear();
  }

  /** A Set keeps the order of insertion, which is that of the numbers: the oldest come first. */
  #giveUp(highest: number): void {
    for (const sequence of this.#missing) {
      if (serialDistance(sequence, highest) < this.#window) return;
      this.#missing.delete(sequence);
      this.#totals.lost++;
    }
  }
}

/** Gives the numbers of outgoing datagrams. */
export class SequenceCounter {
  #next: number;

  /** `first`: the first number, 32 bits. Default 0. */
  constructor(first = 0) {
    this.#next = first >>> 0;
  }

  next(): number {
    const sequence = this.#next;
    this.#next = nextSerial(sequence);
    return sequence;
  }
}

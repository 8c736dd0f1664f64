/** Keeps the first and the last entries of a long series, with bounded memory. */
export class SegmentLog<Entry> {
  readonly #first: Entry[] = [];
  readonly #last: Entry[] = [];
  readonly #half: number;
  #omitted = 0;

  constructor(limit: number) {
    this.#half = Math.max(1, Math.floor(limit / 2));
  }

  /** Entries between the first and the last ones that were forgotten. */
  get omitted(): number {
    return this.#omitted;
  }

  get first(): readonly Entry[] {
    return this.#first;
  }

  get last(): readonly Entry[] {
    return this.#last;
  }

  add(entry: Entry): void {
    if (this.#first.length < this.#half) {
      this.#first.push(entry);
      return;
    }
    if (this.#last.length >= this.#half) {
      this.#last.shift();
      this.#omitted++;
    }
    this.#last.push(entry);
  }

  [Symbol.iterator](): Iterator<Entry> {
    return [...this.#first, ...this.#last][Symbol.iterator]();
  }
}

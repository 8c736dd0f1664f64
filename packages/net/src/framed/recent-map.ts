/** A map of bounded size that forgets what was not used for longest, as far as it may be. */
export class RecentMap<Key, Value> {
  readonly #limit: number;
  readonly #mayForget: (value: Value) => boolean;
  readonly #entries = new Map<Key, Value>();

  constructor(limit: number, mayForget: (value: Value) => boolean = () => true) {
    this.#limit = limit;
    this.#mayForget = mayForget;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, made if there is none; it is now the last to be forgotten. */
  obtain(key: Key, make: () => Value): Value {
    const known = this.#entries.get(key);
    // A Map keeps the order of insertion: the first is the one unused for longest.
    if (known !== undefined) this.#entries.delete(key);
    const value = known ?? make();
    if (known === undefined && this.#entries.size >= this.#limit) this.#forgetOne();
    this.#entries.set(key, value);
    return value;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  #forgetOne(): void {
    for (const [key, value] of this.#entries) {
      if (!this.#mayForget(value)) continue;
      this.#entries.delete(key);
      return;
    }
  }
}

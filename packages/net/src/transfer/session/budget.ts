/** Room for so many bytes, or files; who needs more than is left waits, in order. */
export class Budget {
  readonly #limit: number;
  readonly #waiting: { count: number; go: () => void }[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(count: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#used + count <= this.#limit) {
      this.#used += count;
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ count, go }));
  }

  give(count: number): void {
    this.#used -= count;
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#used + first.count > this.#limit) return;
      this.#waiting.shift();
      this.#used += first.count;
      first.go();
    }
  }
}

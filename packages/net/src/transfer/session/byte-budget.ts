/** Room for bytes that are on their way; who needs more than is left waits, in order. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting: { bytes: number; go: () => void }[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#used + bytes <= this.#limit) {
      this.#used += bytes;
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }));
  }

  give(bytes: number): void {
    this.#used -= bytes;
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || this.#used + first.bytes > this.#limit) return;
      this.#waiting.shift();
      this.#used += first.bytes;
      first.go();
    }
  }
}

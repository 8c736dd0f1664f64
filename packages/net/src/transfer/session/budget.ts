/** One that needs more than is left. */
interface Waiter {
  readonly count: number;
  readonly turn: Promise<void>;
  go: () => void;
}

/** Room for so many bytes, or files; who needs more than is left waits, in order. */
export class Budget {
  readonly #limit: number;
  readonly #waiting: Waiter[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Undefined where there is room at once, else what resolves when there is. */
  take(count: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#used + count <= this.#limit) {
      this.#used += count;
      return undefined;
    }
    let go: (() => void) | undefined;
    const turn = new Promise<void>((resolve) => (go = resolve));
    this.#waiting.push({ count, turn, go: () => go?.() });
    return turn;
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

  /** Gives back what `take` has answered with `turn`: who still waits for it waits no more. */
  giveBack(count: number, turn: Promise<void> | undefined): void {
    const at = this.#waiting.findIndex((waiter) => waiter.turn === turn);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.give(at >= 0 ? 0 : count);
  }
}

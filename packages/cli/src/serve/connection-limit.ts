/** How many connections a server may have at once, over all of its addresses. */
export class ConnectionLimit {
  readonly max: number;
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.max = max;
  }

  get count(): number {
    return this.#count;
  }

  take(): void {
    this.#count++;
  }

  release(): void {
    this.#count--;
    this.#wake();
  }

  /** Waits until there is room, or `signal` aborts; does not take it. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#count >= this.max && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.push(done);
        signal.addEventListener('abort', done);
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

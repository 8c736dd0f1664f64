/** Those who wait for something to change. */
export class Waiters {
  #waiting: (() => void)[] = [];

  /** Whether anybody waits. */
  get any(): boolean {
    return this.#waiting.length > 0;
  }

  /** Wakes all. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Until the next `wake`, or until the signal aborts: whoever waits looks which it was. */
  next(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done);
      this.#waiting.push(done);
    });
  }
}

/** Those who wait for something to change. */
export class Waiters {
  #waiting: (() => void)[] = [];

  /** Wakes all. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Until the next `wake`, or until the signal aborts: whoever waits looks which it was. */
  next(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(done), 1);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(done);
    });
  }
}

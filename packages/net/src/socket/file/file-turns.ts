/** Lets one operation of a direction run at a time, in the order they were called. */
export class FileTurns {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  /** Whether an operation runs or waits. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Runs `task` in its turn; an abort ends the wait for it. */
  async run<Result>(task: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (this.#busy) await this.#turn(signal);
    this.#busy = true;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy = false;
      else next();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal?.reason as Error);
      };
      const start = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.throwIfAborted();
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(start);
    });
  }
}

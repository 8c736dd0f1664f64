const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;

/** Pauses between attempts that go on failing: 100 ms, doubling to 1 s (safety.md 8). */
export class RetryPause {
  #pauseMs = FIRST_PAUSE_MS;

  /** The last attempt went well. */
  reset(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Waits for the next attempt, or for the signal. */
  wait(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, pauseMs);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }
}

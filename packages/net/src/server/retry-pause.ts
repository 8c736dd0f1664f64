const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;
const WARN_EVERY_MS = 60_000;

/** Pauses between attempts that go on failing: 100 ms, doubling to 1 s (safety.md 8). */
export class RetryPause {
  #pauseMs = FIRST_PAUSE_MS;
  #warnedAt = Number.NEGATIVE_INFINITY;

  /** The last attempt went well. */
  reset(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** How long the next wait is. */
  get nextMs(): number {
    return this.#pauseMs;
  }

  /** Whether it is time to warn: at most once a minute. True counts as a warning. */
  isWarningDue(): boolean {
    const now = performance.now();
    if (now - this.#warnedAt < WARN_EVERY_MS) return false;
    this.#warnedAt = now;
    return true;
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

/** Calls back once nothing has happened for a time. */
export class IdleClock implements Disposable {
  #timer: NodeJS.Timeout | undefined;

  /** @param ms undefined or Infinity never calls back */
  constructor(ms: number | undefined, onIdle: () => void) {
    if (ms === undefined || !Number.isFinite(ms)) return;
    // setTimeout takes at most 2^31 - 1 ms.
    this.#timer = setTimeout(onIdle, Math.min(ms, 0x7fffffff));
  }

  /** Something happened. */
  touch(): void {
    this.#timer?.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

import type { Operation } from './operation.ts';

/** An operation that waits in a lane, and the promise that waits for it. */
export class Pending {
  readonly operation: Operation<unknown>;
  /** Held so that a socket with something pending is never collected. */
  readonly owner: object;
  next: Pending | undefined;
  #resolve: (value: unknown) => void;
  #reject: (reason: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    operation: Operation<unknown>,
    owner: object,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.operation = operation;
    this.owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Calls `expire` after `seconds`. */
  expireAfter(seconds: number, referenced: boolean, expire: () => void): void {
    const deadline = performance.now() + seconds * 1000;
    const check = (): void => {
      // A timer counts from the loop's clock, which lags behind: it may be early.
      const left = deadline - performance.now();
      if (left <= 0) expire();
      else this.#startTimer(left, referenced, check);
    };
    this.#startTimer(seconds * 1000, referenced, check);
  }

  #startTimer(ms: number, referenced: boolean, check: () => void): void {
    // setTimeout takes at most 2^31 - 1 ms; check() starts the rest.
    this.#timer = setTimeout(check, Math.min(Math.ceil(ms), 0x7fffffff));
    if (!referenced) this.#timer.unref();
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Calls `abort` with the signal's reason. */
  abortOn(signal: AbortSignal, abort: (reason: unknown) => void): void {
    this.#signal = signal;
    this.#onAbort = () => abort(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  resolve(value: unknown): void {
    this.#release();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#release();
    if (reason instanceof Error) this.operation.describe?.(reason);
    this.#reject(reason);
  }

  #release(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

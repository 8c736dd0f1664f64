import { abortListeners } from './abort-listeners.ts';
import type { Operation } from './operation.ts';

/** The error of an operation, with what the operation adds to it. A frozen one stays as it is. */
export function described(operation: Operation<unknown>, reason: unknown): unknown {
  if (reason instanceof Error && Object.isExtensible(reason)) operation.describe?.(reason);
  return reason;
}

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
  #settled = false;

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

  get settled(): boolean {
    return this.#settled;
  }

  /** Calls `expire` after `seconds`. */
  expireAfter(seconds: number, expire: () => void): void {
    const deadline = performance.now() + seconds * 1000;
    const check = (): void => {
      // A timer counts from the loop's clock, which lags behind: it may be early.
      const left = deadline - performance.now();
      if (left <= 0) expire();
      else this.#startTimer(left, check);
    };
    this.#startTimer(seconds * 1000, check);
  }

  #startTimer(ms: number, check: () => void): void {
    // setTimeout takes at most 2^31 - 1 ms; check() starts the rest. The poller keeps the process
    // alive for what waits, so no timer needs to.
    this.#timer = setTimeout(check, Math.min(Math.ceil(ms), 0x7fffffff)).unref();
  }

  /** Calls `abort` with the signal's reason. */
  abortOn(signal: AbortSignal, abort: (reason: unknown) => void): void {
    this.#signal = signal;
    this.#onAbort = () => abort(signal.reason);
    abortListeners(signal).add(this.#onAbort);
  }

  resolve(value: unknown): void {
    this.#release();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#release();
    this.#reject(described(this.operation, reason));
  }

  #release(): void {
    this.#settled = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#signal !== undefined && this.#onAbort !== undefined) {
      abortListeners(this.#signal).delete(this.#onAbort);
    }
  }
}

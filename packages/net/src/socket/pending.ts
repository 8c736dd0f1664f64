import { abortListeners } from './abort-listeners.ts';
import type { Operation } from './operation.ts';

/** The error of an operation, with what the operation adds to it. A frozen one stays as it is. */
export function described(operation: Operation<unknown>, reason: unknown): unknown {
  if (reason instanceof Error && Object.isExtensible(reason)) operation.describe?.(reason);
  return reason;
}

/** An operation that waits in a lane, with the promise that waits for it. */
export interface Waiting {
  readonly operation: Operation<unknown>;
  /** Held so that a socket with something pending is never collected. */
  readonly owner: object;
  /** What waits behind it: the lane's. */
  behind: Waiting | undefined;
  /** Whether a failure reaches who waits for it two microtasks later than a Pending's. */
  readonly isLate: boolean;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** What may end a wait early; apart from it, since most wait without. */
interface Limits {
  timer?: NodeJS.Timeout;
  stopListening?: () => void;
}

/** What waits for most operations, which may have a limit. */
export class Pending implements Waiting {
  readonly operation: Operation<unknown>;
  readonly owner: object;
  behind: Waiting | undefined;
  #resolve: (value: unknown) => void;
  #reject: (reason: unknown) => void;
  #limits: Limits | undefined;
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

  get isLate(): boolean {
    return false;
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
    this.#limits ??= {};
    this.#limits.timer = setTimeout(check, Math.min(Math.ceil(ms), 0x7fffffff)).unref();
  }

  /** Calls `abort` with the signal's reason. */
  abortOn(signal: AbortSignal, abort: (reason: unknown) => void): void {
    const onAbort = (): void => abort(signal.reason);
    this.#limits ??= {};
    this.#limits.stopListening = () => abortListeners(signal).delete(onAbort);
    abortListeners(signal).add(onAbort);
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
    if (this.#limits === undefined) return;
    clearTimeout(this.#limits.timer);
    this.#limits.stopListening?.();
  }
}

/** The same behind one that is late: as late, so that it doesn't overtake that. */
export class LatePending extends Pending {
  override get isLate(): boolean {
    return true;
  }

  override resolve(value: unknown): void {
    super.resolve(Promise.resolve(value));
  }

  override reject(reason: unknown): void {
    super.resolve(Promise.reject(described(this.operation, reason)));
  }
}

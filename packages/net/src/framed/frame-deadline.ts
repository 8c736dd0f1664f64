import { DeadlineClock, type Timed } from '../socket/deadline-clock.ts';

// One clock for all connections with about the same timeout.
const clocks = new Map<number, DeadlineClock>();

function clockFor(timeoutMs: number): DeadlineClock {
  const power = 2 ** Math.floor(Math.log2(timeoutMs));
  const known = clocks.get(power);
  if (known !== undefined) return known;
  const clock = new DeadlineClock([power]);
  clocks.set(power, clock);
  return clock;
}

/**
 * How long a frame may take from its first byte to its last. It counts only while its bytes are
 * waited for, so that a slow reader doesn't run out of the peer's time.
 */
export class FrameDeadline implements Timed {
  place = -1;
  readonly #timeoutMs: number;
  readonly #onExpired: () => void;
  readonly #clock: DeadlineClock;
  #elapsedMs = 0;
  #since = 0;
  #waiting = false;

  constructor(timeoutMs: number, onExpired: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
    this.#clock = clockFor(timeoutMs);
  }

  /** The rest of a frame is waited for. */
  resume(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#since = performance.now();
    this.#clock.add(this);
  }

  /** Nothing is waited for now. */
  pause(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#elapsedMs += performance.now() - this.#since;
    this.#clock.delete(this);
  }

  /** The frame is whole: what comes is another. */
  reset(): void {
    this.#elapsedMs = 0;
  }

  onTick(now: number): void {
    if (this.#elapsedMs + now - this.#since < this.#timeoutMs) return;
    this.pause();
    this.#onExpired();
  }
}

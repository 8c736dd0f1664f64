/**
 * The times of a run, in milliseconds of the monotonic clock: warm-up, measurement, end. The signal
 * aborts when the run is over or was interrupted.
 */
export class RunClock implements Disposable {
  readonly signal: AbortSignal;
  readonly startedAt = performance.now();
  readonly measureFrom: number;
  readonly endsAt: number;
  /** Set when the run was ended early. */
  interruptedAt: number | undefined;
  #controller = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(warmupMs: number, durationMs: number) {
    this.signal = this.#controller.signal;
    this.measureFrom = this.startedAt + warmupMs;
    this.endsAt = this.measureFrom + durationMs;
    // Node's timers count from the start of the turn, so that they may come a millisecond early.
    this.#timer = setTimeout(() => this.#controller.abort(), warmupMs + durationMs + 1);
  }

  /** Whether to send more: asked between system calls that need no turn of the event loop. */
  get isOver(): boolean {
    return this.signal.aborted || performance.now() >= this.endsAt;
  }

  /** Whether what happens at a time counts. */
  isMeasured(now: number): boolean {
    return now >= this.measureFrom && now <= (this.interruptedAt ?? this.endsAt);
  }

  /** How long was measured so far. */
  measuredMs(now: number): number {
    return Math.max(Math.min(now, this.interruptedAt ?? this.endsAt) - this.measureFrom, 0);
  }

  interrupt(): void {
    this.interruptedAt ??= Math.min(performance.now(), this.endsAt);
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}

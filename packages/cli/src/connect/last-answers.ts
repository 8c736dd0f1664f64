// No datagram says that it was the last. An answer to what was sent last is likely the end; without
// one a slow network or a busy server gets its time. Arbitrary, within server-api's 10 s.
const AFTER_ANSWER_MS = 1000;
const WITHOUT_ANSWER_MS = 5000;
const AT_MOST_MS = 10_000;

/** Decides when a client of a datagram server that has sent everything stops to wait for answers. */
export class LastAnswers {
  #isAnswered = true;
  #endedAt = Number.POSITIVE_INFINITY;
  #fixedMs: number | undefined;
  #onEnd: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param fixedMs how long to wait without a datagram, where the user said so */
  constructor(fixedMs: number | undefined, onEnd: () => void) {
    this.#fixedMs = fixedMs;
    this.#onEnd = onEnd;
  }

  sent(): void {
    this.#isAnswered = false;
  }

  received(): void {
    this.#isAnswered = true;
    if (this.#timer !== undefined) this.#wait();
  }

  /** Nothing more will be sent. */
  ended(hasSent: boolean): void {
    this.#endedAt = performance.now();
    if (hasSent) this.#wait();
    else this.#onEnd();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const quiet = this.#fixedMs ?? (this.#isAnswered ? AFTER_ANSWER_MS : WITHOUT_ANSWER_MS);
    const left =
      this.#fixedMs === undefined ? this.#endedAt + AT_MOST_MS - performance.now() : quiet;
    this.#timer = setTimeout(this.#onEnd, Math.min(quiet, Math.max(left, 0), 0x7fffffff));
  }
}

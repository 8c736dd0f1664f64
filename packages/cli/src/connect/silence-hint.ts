// Arbitrary: longer than what people wait for without a thought.
const SILENCE_MS = 5000;

/** Says something once where all was sent and nothing has come for some seconds. */
export class SilenceHint {
  #say: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param say undefined where nothing is to be said */
  constructor(say: (() => void) | undefined) {
    this.#say = say;
  }

  /** Who gets no answer from now on may talk to somebody who waits for something else. */
  sent(): void {
    if (this.#say === undefined) return;
    this.#timer = setTimeout(this.#say, SILENCE_MS).unref();
    this.#say = undefined;
  }

  /** Something has come, or it is over. */
  stop(): void {
    this.#say = undefined;
    clearTimeout(this.#timer);
  }
}

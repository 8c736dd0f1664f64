/** Counts the bytes that wait to leave, and lets senders wait until they have. */
export class Outgoing {
  readonly #highWaterMark: number;
  #queued = 0;
  #uncopied = 0;
  /** Bytes that senders added although there was no room. */
  #excess = 0;
  #failure: unknown;
  #waiters: { resolve: () => void; reject: (reason: unknown) => void; atEnd: boolean }[] = [];

  constructor(highWaterMark: number) {
    this.#highWaterMark = highWaterMark;
  }

  /** The first error of a send; after it nothing more is sent. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Bytes that the kernel hasn't taken. */
  get queued(): number {
    return this.#queued;
  }

  /** Whether a sender may go on at once. */
  get hasRoom(): boolean {
    return this.#queued < this.#highWaterMark && this.#uncopied === 0;
  }

  /** Whether senders have gone on without waiting for room, by a quarter of it (arbitrary). */
  get isOverrun(): boolean {
    return this.#excess >= this.#highWaterMark / 4;
  }

  add(bytes: number, uncopied = false): void {
    if (this.#queued >= this.#highWaterMark) this.#excess += bytes;
    this.#queued += bytes;
    if (uncopied) this.#uncopied += bytes;
  }

  sent(bytes: number, uncopied = false): void {
    this.#queued -= bytes;
    if (uncopied) this.#uncopied -= bytes;
    if (!this.hasRoom) return;
    this.#excess = 0;
    if (this.#waiters.length > 0) this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ atEnd }) => atEnd && this.#queued > 0);
    for (const waiter of waiters) if (!waiter.atEnd || this.#queued === 0) waiter.resolve();
  }

  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  /** Resolves when there is room again, or, `atEnd`, when everything has left. */
  drained(atEnd: boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (atEnd ? this.#queued === 0 : this.hasRoom) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject, atEnd }));
  }
}

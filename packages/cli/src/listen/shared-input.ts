/** One input for readers that come one after another: what a reader leaves, the next one gets. */
export class SharedInput {
  #source: AsyncIterator<Buffer>;
  #pending: Promise<IteratorResult<Buffer>> | undefined;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What comes until `signal` aborts. */
  async *until(signal: AbortSignal): AsyncGenerator<Buffer> {
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    while (!signal.aborted) {
      this.#pending ??= this.#source.next();
      const result = await Promise.race([this.#pending, aborted]);
      if (result === undefined || signal.aborted) return;
      // The end stays for those who come later.
      if (result.done === true) return;
      this.#pending = undefined;
      yield result.value;
    }
  }
}

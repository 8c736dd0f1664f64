import { Output } from '../connect/output.ts';

// What is gathered before a write; arbitrary, a pipe's own size.
const FULL_CHARACTERS = 64 * 1024;

/** Gathers lines for stdout; whoever writes many awaits `flush()` when it `isFull`. */
export class LineOutput {
  readonly #output = new Output(1);
  #text = '';
  #hasFailed = false;

  get isFull(): boolean {
    return this.#text.length >= FULL_CHARACTERS;
  }

  line(text: string): void {
    this.#text += `${text}\n`;
  }

  object(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** @throws CommandError, once; for a reader that has gone one that is silent */
  async flush(): Promise<void> {
    if (this.#text === '') return;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    // Told already: what is said at the end must not take its place.
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    await this.#output.write(bytes);
    this.#hasFailed = false;
  }
}

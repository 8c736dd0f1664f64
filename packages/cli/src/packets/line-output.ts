import { Output } from '../connect/output.ts';

// What is gathered before a write; arbitrary, a pipe's own size.
const FULL_CHARACTERS = 64 * 1024;

/** Gathers lines for stdout; whoever writes many awaits `flush()` when it `isFull`. */
export class LineOutput {
  readonly #output = new Output(1);
  #text = '';

  get isFull(): boolean {
    return this.#text.length >= FULL_CHARACTERS;
  }

  line(text: string): void {
    this.#text += `${text}\n`;
  }

  object(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** @throws CommandError; for a reader that has gone one that is silent */
  async flush(): Promise<void> {
    if (this.#text === '') return;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    await this.#output.write(bytes);
  }
}

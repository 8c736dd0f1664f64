import { escapeText } from '../text/escape-text.ts';

/**
 * Turns a peer's bytes into text for a terminal: UTF-8, whatever its pieces, with everything escaped
 * that would control the terminal. CR LF is a newline.
 */
export class TerminalText {
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #heldReturn = false;

  /** The text that is complete. */
  push(bytes: Uint8Array): string {
    return this.#escape(this.#decoder.decode(bytes, { stream: true }), false);
  }

  /** What was left at the end of a stream or of a message. */
  end(): string {
    return this.#escape(this.#decoder.decode(), true);
  }

  /** A CR at the end waits for the LF that may follow. */
  #escape(text: string, isEnd: boolean): string {
    const all = this.#heldReturn ? `\r${text}` : text;
    this.#heldReturn = !isEnd && all.endsWith('\r');
    const whole = this.#heldReturn ? all.slice(0, -1) : all;
    return escapeText(whole.replaceAll('\r\n', '\n'));
  }
}

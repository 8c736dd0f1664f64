const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Looks for the word that ends a session: a piece or a line that is the word and nothing else, with
 * or without a newline. A line may come in several pieces.
 */
export class QuitWord {
  #word: Buffer;
  /** The line that is not ended yet; never longer than it takes to tell that it isn't the word. */
  #line: Buffer = Buffer.alloc(0);

  constructor(word: string) {
    this.#word = Buffer.from(word);
  }

  /** Where in the piece the session ends: what is before it still counts. -1 if it goes on. */
  find(piece: Uint8Array): number {
    if (this.isWord(piece)) return 0;
    let start = 0;
    for (;;) {
      const newline = piece.indexOf(NEWLINE, start);
      const end = newline < 0 ? piece.length : newline;
      this.#extend(piece.subarray(start, end));
      if (this.isWord(this.#line) && (newline >= 0 || end > start)) return start;
      if (newline < 0) return -1;
      this.#line = Buffer.alloc(0);
      start = newline + 1;
    }
  }

  #extend(bytes: Uint8Array): void {
    const room = this.#word.length + 2 - this.#line.length;
    if (room > 0) this.#line = Buffer.concat([this.#line, bytes.subarray(0, room)]);
  }

  /** Whether that is the word and nothing else, but for a newline. */
  isWord(text: Uint8Array): boolean {
    let end = text.length;
    if (text[end - 1] === NEWLINE) end--;
    if (text[end - 1] === RETURN) end--;
    return this.#word.equals(text.subarray(0, end));
  }
}

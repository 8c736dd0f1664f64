// Room for the longest receive at any place of the pattern.
const RECEIVE_BYTES = 256 * 1024;

// Arbitrary.
const MAX_GREETING_BYTES = 64 * 1024;

/** What is sent over and over, and must come back. */
export class EchoPattern {
  readonly message: Buffer;
  #repeated: Buffer;
  #offset = 0;
  #total = 0;
  #greetingBytes = 0;

  /** @param size bytes of a message */
  constructor(size: number) {
    // A prime period, so that no power of two hides a piece that is missing.
    this.message = Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251));
    const copies = Math.ceil(RECEIVE_BYTES / size) + 1;
    this.#repeated = Buffer.alloc(size * copies, this.message);
  }

  /** Bytes of the longest piece that `expect` takes. */
  get maxPieceBytes(): number {
    return Math.max(RECEIVE_BYTES, this.message.length);
  }

  /**
   * What of a piece may be the echo: a server's greeting comes before it, text without the NUL that
   * the pattern begins with.
   *
   * @throws Error where what is no echo is too long for a greeting
   */
  afterGreeting(piece: Buffer): Buffer {
    if (this.#total > 0) return piece;
    const first = piece.indexOf(0);
    const end = first < 0 ? piece.length : first;
    this.#greetingBytes += end;
    if (this.#greetingBytes <= MAX_GREETING_BYTES) return piece.subarray(end);
    throw new Error('the server does not echo: it sends what it was not sent');
  }

  /**
   * Takes the next piece of what came back.
   *
   * @throws Error where it is not what was sent
   */
  expect(piece: Uint8Array): void {
    const { length: size } = this.message;
    for (let at = 0; at < piece.length; ) {
      const length = Math.min(piece.length - at, this.#repeated.length - this.#offset);
      const part = piece.subarray(at, at + length);
      if (!this.#repeated.subarray(this.#offset, this.#offset + length).equals(part)) {
        throw new Error(
          `the server does not echo: what came back differs after ${this.#total} bytes`,
        );
      }
      this.#offset = (this.#offset + length) % size;
      this.#total += length;
      at += length;
    }
  }
}

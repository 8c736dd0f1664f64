// Room for the longest receive at any place of the pattern.
const RECEIVE_BYTES = 256 * 1024;

/** What is sent over and over, and must come back. */
export class EchoPattern {
  readonly message: Buffer;
  #repeated: Buffer;
  #offset = 0;
  #total = 0;

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

/**
 * The stream ended before all that was asked for had come. What did come is in `partial` and has
 * left the file.
 */
export class IncompleteReadError extends Error {
  readonly code = 'ERR_INCOMPLETE_READ';
  /** What came: bytes, or text from a file in text mode. */
  readonly partial: Buffer | string;
  /** How many bytes (or characters) were wanted; undefined where a delimiter was. */
  readonly expected: number | undefined;

  constructor(partial: Buffer | string, expected?: number) {
    const wanted = expected === undefined ? 'the delimiter' : `all ${expected}`;
    const unit = typeof partial === 'string' ? 'characters' : 'bytes';
    super(`Cannot read ${wanted}: the stream ended after ${partial.length} ${unit}`);
    this.partial = partial;
    this.expected = expected;
  }

  override get name(): string {
    return 'IncompleteReadError';
  }
}

/**
 * A capture file that contradicts its format.
 *
 * Message: `Cannot read capture file: FOUND at offset N, expected WHAT`.
 */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError';
  readonly code = 'ERR_CAPTURE_FILE';
  /** Byte offset in the file of what is wrong. */
  readonly offset: number;
  readonly expected: string;

  constructor(found: string, offset: number, expected: string) {
    super(`Cannot read capture file: ${found} at offset ${offset}, expected ${expected}`);
    this.offset = offset;
    this.expected = expected;
  }
}

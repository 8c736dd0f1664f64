/** Which side of the codec found the error: ours while encoding, the peer's bytes while decoding. */
export type FrameAction = 'encode' | 'decode';

/** The `code` of a {@link ProtocolError}. */
export type ProtocolErrorCode =
  | 'ERR_FRAME_TOO_LARGE'
  | 'ERR_FRAME_TRUNCATED'
  | 'ERR_FRAME_MALFORMED';

/** Bytes that break the format agreed on, or a message that the format can't carry. */
export abstract class ProtocolError extends Error {
  abstract readonly code: ProtocolErrorCode;
  readonly action: FrameAction;

  constructor(action: FrameAction, state: string, options?: ErrorOptions) {
    super(`Cannot ${action} frame: ${state}`, options);
    this.action = action;
  }
}

/** A frame is longer than the codec allows. Nothing was allocated for it. */
export class FrameTooLargeError extends ProtocolError {
  override readonly name = 'FrameTooLargeError';
  readonly code = 'ERR_FRAME_TOO_LARGE';
  /** The limit that was exceeded, in bytes. */
  readonly limit: number;
  /**
   * The frame's length in bytes where it is known, rounded above 2⁵³; undefined where the frame
   * ends with a mark that hadn't come when the limit was passed.
   */
  readonly length: number | undefined;

  constructor(action: FrameAction, limit: { name: string; bytes: number }, length?: number) {
    const frame = length === undefined ? 'a frame' : `length ${length}`;
    super(action, `${frame} exceeds ${limit.name} ${limit.bytes}`);
    this.limit = limit.bytes;
    this.length = length;
  }
}

/** The stream ended inside a frame. */
export class FrameTruncatedError extends ProtocolError {
  override readonly name = 'FrameTruncatedError';
  readonly code = 'ERR_FRAME_TRUNCATED';
}

/** Bytes, or a message, that can't be a frame of this format. */
export class FrameMalformedError extends ProtocolError {
  override readonly name = 'FrameMalformedError';
  readonly code = 'ERR_FRAME_MALFORMED';
}

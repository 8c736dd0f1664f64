import { ETIMEDOUT } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';

/** A peer began a frame and didn't end it in time; the connection was closed. */
export class FrameTimeoutError extends SocketError {
  readonly frameTimeoutMs: number;

  /** @param pendingBytes bytes of the frame that had come */
  constructor(frameTimeoutMs: number, pendingBytes: number) {
    super('framed', ETIMEDOUT, {
      reason: `Cannot receive frame: ${pendingBytes} bytes of it came within frameTimeoutMs ${frameTimeoutMs}`,
    });
    this.frameTimeoutMs = frameTimeoutMs;
  }

  override get name(): string {
    return 'FrameTimeoutError';
  }
}

import { Carry } from './carry.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { FrameTruncatedError } from './protocol-error.ts';

/**
 * Decodes frames that tell their size at their start.
 *
 * A frame that lies whole in one chunk is handed on as that piece of the chunk; only a frame that
 * a chunk's end cuts is collected in a carry. While its header is cut too, the carry takes one byte
 * at a time, so that it never holds bytes of the frame behind.
 */
export abstract class SizedDecoder<Message> extends FrameDecoder<Message> {
  readonly #carry = new Carry();
  /** Size of the frame in the carry, 0 until its header is whole; without meaning if it's empty. */
  #carriedFrameBytes = 0;

  get pendingBytes(): number {
    return this.#carry.length;
  }

  /**
   * Size of the whole frame that starts at bytes[at], header included, at least 1; 0 if bytes[at,
   * end) is not yet all of its header. Throws if it is too large or no header. What this notes
   * about the header holds until the same frame's message().
   */
  protected abstract frameBytes(bytes: Buffer, at: number, end: number): number;

  /** The message in the frame bytes[from, to). `owned`: the bytes belong to nobody else. */
  protected abstract message(bytes: Buffer, from: number, to: number, owned: boolean): Message;

  protected override decode(chunk: Buffer, messages: Message[]): void {
    const end = chunk.length;
    let at = 0;
    while (this.#carry.length > 0 && at < end) at = this.#continue(chunk, at, messages);
    while (at < end) {
      const size = this.frameBytes(chunk, at, end);
      if (size === 0 || size > end - at) {
        this.#carry.append(chunk, { from: at, to: end, limit: size });
        this.#carriedFrameBytes = size;
        return;
      }
      messages.push(this.message(chunk, at, at + size, false));
      at += size;
    }
  }

  protected override finish(): void {
    if (this.#carry.length === 0) return;
    const whole = this.#carriedFrameBytes;
    const state =
      whole === 0
        ? `the stream ended ${this.#carry.length} bytes into a header`
        : `the stream ended after ${this.#carry.length} of ${whole} bytes`;
    throw new FrameTruncatedError('decode', state);
  }

  #continue(chunk: Buffer, at: number, messages: Message[]): number {
    const carry = this.#carry;
    const missing = this.#carriedFrameBytes === 0 ? 1 : this.#carriedFrameBytes - carry.length;
    const to = Math.min(at + missing, chunk.length);
    carry.append(chunk, { from: at, to, limit: this.#carriedFrameBytes });
    if (this.#carriedFrameBytes === 0) {
      this.#carriedFrameBytes = this.frameBytes(carry.bytes, 0, carry.length);
    }
    if (carry.length === this.#carriedFrameBytes) {
      const frame = carry.take();
      messages.push(this.message(frame, 0, frame.length, true));
    }
    return to;
  }
}

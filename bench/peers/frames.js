// A reader of 4-byte big-endian length prefixes over arbitrary chunks, written
// as one writes it by hand on a plain stream.
import { Buffer } from 'node:buffer';

const PREFIX_BYTES = 4;
const MAX_FRAME_BYTES = 1 << 20;

export class FrameReader {
  #kept = Buffer.alloc(0);

  /** Calls `take` with each whole message; a view, valid during the call. */
  push(chunk, take) {
    const data = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    let at = 0;
    while (data.length - at >= PREFIX_BYTES) {
      const length = data.readUInt32BE(at);
      if (length > MAX_FRAME_BYTES) throw new RangeError(`Cannot read frame: ${length} bytes`);
      const end = at + PREFIX_BYTES + length;
      if (end > data.length) break;
      take(data.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#kept = at === data.length ? Buffer.alloc(0) : Buffer.from(data.subarray(at));
  }
}

/** The message with its length in front, in a buffer of its own. */
export function frame(message) {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

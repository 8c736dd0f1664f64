import { constants } from 'node:buffer';
import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { asMalformed } from './as-malformed.ts';
import { checkBytes, checkMaxFrameBytes, DEFAULT_MAX_FRAME_BYTES } from './check-options.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';
import { SizedDecoder } from './sized-decoder.ts';

/** Options of {@link headed}: a format whose header has a fixed size and tells the rest's. */
export interface HeadedOptions<Message, Sent = Message> {
  /** Bytes of the header, at least 1. */
  headerBytes: number;
  /**
   * How many bytes follow this header. Throw for a header that is none. It may be called before
   * the body has come, once a frame; the header is a view, valid during the call.
   */
  bodyBytes(header: Buffer): number;
  /** The message in a whole frame, header included. Throw for a frame that is none. The frame is a
   * view of the chunk where it lies whole in one, valid until that memory is written again. */
  decode(frame: Buffer): Message;
  /** The bytes of a message, header included, in one piece or several. */
  encode(message: Sent): Uint8Array | Uint8Array[];
  /** Longest body in bytes, without the header. Default 1,048,576. */
  maxFrameBytes?: number;
}

/**
 * A codec of one's own for any format with a fixed header that tells the length: TLV, TLS records,
 * DNS over TCP. Bounds, splitting and the order of messages and errors are taken care of.
 *
 * Decoding throws FrameTooLargeError as soon as the header is whole, FrameMalformedError with the
 * `cause` when `bodyBytes` or `decode` throws, FrameTruncatedError at an end inside a frame.
 * Encoding throws FrameTooLargeError, FrameMalformedError for less than a header, and what `encode`
 * throws; whether the header tells the truth about the body is up to `encode`.
 *
 * @throws TypeError, RangeError when `headerBytes` or `maxFrameBytes` is out of range
 * @example
 * const tlv = headed<{ type: number; value: Buffer }>({
 *   headerBytes: 3,
 *   bodyBytes: (header) => header.readUInt16BE(1),
 *   decode: (frame) => ({ type: frame.readUInt8(), value: frame.subarray(3) }),
 *   encode({ type, value }) {
 *     const header = Buffer.from([type, 0, 0]);
 *     header.writeUInt16BE(value.length, 1);
 *     return [header, value];
 *   },
 * });
 * const [message] = tlv.decoder().push(Buffer.from('\x07\0\x02hi'));
 * assert.deepEqual(message, { type: 7, value: Buffer.from('hi') });
 */
export function headed<Message, Sent = Message>(
  options: HeadedOptions<Message, Sent>,
): Codec<Message, Sent> {
  checkOptionNames(options, ['headerBytes', 'bodyBytes', 'decode', 'encode', 'maxFrameBytes']);
  const headerBytes = checkBytes('headerBytes', options.headerBytes, { min: 1, max: 65_536 });
  const largest = constants.MAX_LENGTH - headerBytes;
  const maxFrameBytes = checkMaxFrameBytes(options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES, largest);
  return {
    encode(message) {
      const frame = options.encode(message);
      const pieces = Array.isArray(frame) ? frame : [frame];
      const body = pieces.reduce((sum, { length }) => sum + length, 0) - headerBytes;
      if (body > maxFrameBytes) throw tooLarge('encode', maxFrameBytes, body);
      if (body < 0) {
        const state = `length ${body + headerBytes} is less than headerBytes ${headerBytes}`;
        throw new FrameMalformedError('encode', state);
      }
      return frame;
    },
    decoder: () => new HeadedDecoder({ ...options, headerBytes, maxFrameBytes }),
  };
}

function tooLarge(action: 'encode' | 'decode', maxFrameBytes: number, length: number) {
  return new FrameTooLargeError(action, { name: 'maxFrameBytes', bytes: maxFrameBytes }, length);
}

class HeadedDecoder<Message, Sent> extends SizedDecoder<Message> {
  readonly #options: HeadedOptions<Message, Sent> & { maxFrameBytes: number };

  constructor(options: HeadedOptions<Message, Sent> & { maxFrameBytes: number }) {
    super();
    this.#options = options;
  }

  protected override frameBytes(bytes: Buffer, at: number, end: number): number {
    const { headerBytes, maxFrameBytes } = this.#options;
    if (end - at < headerBytes) return 0;
    const body = asMalformed('a header is no header of this format', () =>
      this.#options.bodyBytes(bytes.subarray(at, at + headerBytes)),
    );
    if (!Number.isInteger(body) || body < 0) {
      throw new FrameMalformedError('decode', `bodyBytes ${body} is no length`);
    }
    if (body > maxFrameBytes) throw tooLarge('decode', maxFrameBytes, body);
    return headerBytes + body;
  }

  protected override message(bytes: Buffer, from: number, to: number): Message {
    return asMalformed('a frame is no frame of this format', () =>
      this.#options.decode(bytes.subarray(from, to)),
    );
  }
}

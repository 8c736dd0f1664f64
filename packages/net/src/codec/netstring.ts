import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { frameBody } from './frame-body.ts';
import { checkBytesMessage, joinFrame } from './join-frame.ts';
import { checkMaxFrameBytes, DEFAULT_MAX_FRAME_BYTES } from './check-options.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';
import { SizedDecoder } from './sized-decoder.ts';

/** Options of {@link netstring}. */
export interface NetstringOptions {
  /** Longest message in bytes, without the length, the colon and the comma. Default 1,048,576. */
  maxFrameBytes?: number;
  /** Whether messages are copies that stay valid, instead of views of the chunk. Default false. */
  copy?: boolean;
}

const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;
const TAIL = Buffer.from(',');

/**
 * D. J. Bernstein's netstrings (https://cr.yp.to/proto/netstrings.txt): `5:hello,`.
 *
 * A message is a view of the chunk where it lies whole in one, valid until that memory is written
 * again; otherwise, and with `copy`, memory of its own. All empty messages are one object.
 *
 * Decoding throws FrameTooLargeError before a byte of the message is kept, FrameMalformedError on
 * a length that isn't decimal or has a leading zero and on a missing comma, FrameTruncatedError at
 * an end inside a frame. Encoding throws FrameTooLargeError.
 *
 * @throws TypeError, RangeError when an option is none of the values above
 * @example
 * assert.equal(String(netstring().encode(Buffer.from('hello'))), '5:hello,');
 */
export function netstring(options: NetstringOptions = {}): Codec<Buffer, Uint8Array> {
  checkOptionNames(options, ['maxFrameBytes', 'copy']);
  const maxFrameBytes = checkMaxFrameBytes(options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES);
  const copy = options.copy ?? false;
  return {
    encode(message) {
      const { length } = checkBytesMessage(message);
      if (length > maxFrameBytes) throw tooLarge('encode', maxFrameBytes, length);
      return joinFrame(Buffer.from(`${length}:`), message, TAIL);
    },
    decoder: () => new NetstringDecoder(maxFrameBytes, copy),
  };
}

function tooLarge(action: 'encode' | 'decode', maxFrameBytes: number, length?: number) {
  return new FrameTooLargeError(action, { name: 'maxFrameBytes', bytes: maxFrameBytes }, length);
}

class NetstringDecoder extends SizedDecoder<Buffer> {
  readonly #maxFrameBytes: number;
  readonly #maxDigits: number;
  readonly #copy: boolean;
  #headerBytes = 0;

  constructor(maxFrameBytes: number, copy: boolean) {
    super();
    this.#maxFrameBytes = maxFrameBytes;
    this.#maxDigits = String(maxFrameBytes).length;
    this.#copy = copy;
  }

  protected override frameBytes(bytes: Buffer, at: number, end: number): number {
    let length = 0;
    for (let next = at; next < end; next++) {
      const byte = bytes[next] ?? 0;
      if (byte === COLON && next > at) return this.#whole(length, next + 1 - at);
      if (byte < ZERO || byte > NINE) {
        throw new FrameMalformedError(
          'decode',
          'a netstring starts with no decimal length and colon',
        );
      }
      if (next === at + 1 && length === 0) {
        throw new FrameMalformedError('decode', 'a netstring length has a leading zero');
      }
      if (next - at === this.#maxDigits) throw tooLarge('decode', this.#maxFrameBytes);
      length = length * 10 + byte - ZERO;
    }
    return 0;
  }

  protected override message(bytes: Buffer, from: number, to: number, owned: boolean): Buffer {
    if (bytes[to - 1] !== COMMA) {
      const length = to - from - this.#headerBytes - 1;
      throw new FrameMalformedError('decode', `no comma after ${length} bytes of netstring`);
    }
    return frameBody(bytes, from + this.#headerBytes, to - 1, this.#copy && !owned);
  }

  #whole(length: number, headerBytes: number): number {
    if (length > this.#maxFrameBytes) throw tooLarge('decode', this.#maxFrameBytes, length);
    this.#headerBytes = headerBytes;
    return headerBytes + length + 1;
  }
}

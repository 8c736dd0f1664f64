import { ByteSearch } from './byte-search.ts';
import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { DelimitedDecoder, type DelimitedFormat } from './delimited-decoder.ts';
import { frameBody } from './frame-body.ts';
import { checkBytesMessage, joinFrame } from './join-frame.ts';
import {
  checkBytes,
  checkFinal,
  checkMaxFrameBytes,
  DEFAULT_MAX_FRAME_BYTES,
} from './check-options.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';

/** Options of {@link delimiter}. */
export interface DelimiterOptions {
  /** Longest message in bytes, without the delimiter. Default 1,048,576. */
  maxFrameBytes?: number;
  /** Bytes behind the last delimiter at end(): a last message, or an error. Default 'reject'. */
  final?: 'keep' | 'reject';
  /** Whether messages are copies that stay valid, instead of views of the chunk. Default false. */
  copy?: boolean;
}

/** Arbitrary, above the 74 bytes of the longest MIME boundary with its dashes (RFC 2046, 5.1.1). */
const MAX_DELIMITER_BYTES = 256;

/**
 * Messages that end with a sequence of bytes which can't occur in them.
 *
 * A message is a view of the chunk where it lies whole in one, valid until that memory is written
 * again; otherwise, and with `copy`, memory of its own. All empty messages are one object.
 *
 * Decoding throws FrameTooLargeError as soon as a message has surely passed `maxFrameBytes`, and
 * FrameTruncatedError at an end before the delimiter unless `final` is 'keep'. Encoding throws
 * FrameTooLargeError, and FrameMalformedError for a message that the delimiter would cut.
 *
 * @param mark the delimiter, 1 to 256 bytes; a string stands for its UTF-8. Copied.
 * @throws TypeError, RangeError when an argument is none of the values above
 * @example
 * const decoder = delimiter('\r\n\r\n').decoder();
 * assert.deepEqual([...decoder.push(Buffer.from('a\r\nb\r\n\r\nc'))].map(String), ['a\r\nb']);
 */
export function delimiter(
  mark: Uint8Array | string,
  options: DelimiterOptions = {},
): Codec<Buffer, Uint8Array> {
  checkOptionNames(options, ['maxFrameBytes', 'final', 'copy']);
  const search = new ByteSearch(checkMark(mark));
  const maxFrameBytes = checkMaxFrameBytes(options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES);
  const final = checkFinal(options.final ?? 'reject');
  const copy = options.copy ?? false;
  return {
    encode: (message) => encode(checkBytesMessage(message), search, maxFrameBytes),
    decoder: () => new DelimiterDecoder({ search: search.fresh(), maxFrameBytes, final }, copy),
  };
}

function checkMark(mark: Uint8Array | string): Buffer {
  if (typeof mark !== 'string' && !(mark instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot create codec: delimiter is a ${typeof mark}, a Uint8Array or string is needed`,
    );
  }
  const bytes = typeof mark === 'string' ? Buffer.from(mark) : Buffer.from(mark);
  checkBytes('delimiter length', bytes.length, { min: 1, max: MAX_DELIMITER_BYTES });
  return bytes;
}

function encode(message: Uint8Array, search: ByteSearch, maxFrameBytes: number) {
  if (message.length > maxFrameBytes) {
    const limit = { name: 'maxFrameBytes', bytes: maxFrameBytes };
    throw new FrameTooLargeError('encode', limit, message.length);
  }
  // The message may hold the delimiter, or its end and the delimiter's start may make one earlier.
  if (search.cuts(Buffer.from(message.buffer, message.byteOffset, message.length))) {
    throw new FrameMalformedError('encode', 'the delimiter would end the message early');
  }
  return joinFrame(undefined, message, search.pattern);
}

class DelimiterDecoder extends DelimitedDecoder<Buffer> {
  readonly #copy: boolean;

  constructor(format: DelimitedFormat, copy: boolean) {
    super(format);
    this.#copy = copy;
  }

  protected override message(bytes: Buffer, from: number, to: number, owned: boolean): Buffer {
    return frameBody(bytes, from, to, this.#copy && !owned);
  }
}

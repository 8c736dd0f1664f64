import { constants } from 'node:buffer';
import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { frameBody } from './frame-body.ts';
import { checkBytesMessage } from './join-frame.ts';
import { checkBytes } from './check-options.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';
import { SizedDecoder } from './sized-decoder.ts';

/** Options of {@link fixedSize}. */
export interface FixedSizeOptions {
  /** Bytes of every message, at least 1. */
  size: number;
  /** Whether messages are copies that stay valid, instead of views of the chunk. Default false. */
  copy?: boolean;
}

/**
 * Messages that all have the same number of bytes, with nothing between them.
 *
 * A message is a view of the chunk where it lies whole in one, valid until that memory is written
 * again; otherwise, and with `copy`, memory of its own. encode() returns the message itself.
 *
 * Decoding throws FrameTruncatedError at an end inside a message. Encoding throws
 * FrameTooLargeError for a longer message, FrameMalformedError for a shorter one.
 *
 * @throws TypeError, RangeError when `size` is no positive integer
 * @example
 * const decoder = fixedSize({ size: 2 }).decoder();
 * assert.deepEqual([...decoder.push(Buffer.from('abc'))].map(String), ['ab']);
 */
export function fixedSize(options: FixedSizeOptions): Codec<Buffer, Uint8Array> {
  checkOptionNames(options, ['size', 'copy']);
  const size = checkBytes('size', options.size, { min: 1, max: constants.MAX_LENGTH });
  const copy = options.copy ?? false;
  return {
    encode(message) {
      const { length } = checkBytesMessage(message);
      if (length > size)
        throw new FrameTooLargeError('encode', { name: 'size', bytes: size }, length);
      if (length < size) {
        throw new FrameMalformedError('encode', `length ${length} is less than size ${size}`);
      }
      return message;
    },
    decoder: () => new FixedSizeDecoder(size, copy),
  };
}

class FixedSizeDecoder extends SizedDecoder<Buffer> {
  readonly #size: number;
  readonly #copy: boolean;

  constructor(size: number, copy: boolean) {
    super();
    this.#size = size;
    this.#copy = copy;
  }

  protected override frameBytes(): number {
    return this.#size;
  }

  protected override message(bytes: Buffer, from: number, to: number, owned: boolean): Buffer {
    return frameBody(bytes, from, to, this.#copy && !owned);
  }
}

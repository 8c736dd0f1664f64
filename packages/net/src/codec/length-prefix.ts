import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { frameBody } from './frame-body.ts';
import { checkBytesMessage, JOIN_LIMIT } from './join-frame.ts';
import { checkMaxFrameBytes, DEFAULT_MAX_FRAME_BYTES } from './check-options.ts';
import { type LengthField, lengthField } from './length-field.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';
import { SizedDecoder } from './sized-decoder.ts';

/** Options of {@link lengthPrefix}. */
export interface LengthPrefixOptions {
  /** Bytes of the prefix; 'varint' is unsigned LEB128, as in Protocol Buffers. Default 4. */
  bytes?: 1 | 2 | 4 | 8 | 'varint';
  /** Byte order of the prefix; a varint has only one. Default 'big', the network's. */
  endian?: 'big' | 'little';
  /** Whether the length counts the prefix's own bytes. Default false. */
  includesPrefix?: boolean;
  /** Longest message in bytes, without the prefix. Default 1,048,576. */
  maxFrameBytes?: number;
  /** Whether messages are copies that stay valid, instead of views of the chunk. Default false. */
  copy?: boolean;
}

/**
 * Frames that are a length followed by as many bytes.
 *
 * ```
 * +--------+--------+--------+--------+---------- … ----------+
 * |     length, here of 4 bytes       |        message        |
 * +--------+--------+--------+--------+---------- … ----------+
 * ```
 *
 * A message is a view of the chunk where it lies whole in one, valid until that memory is written
 * again; otherwise, and with `copy`, memory of its own. All empty messages are one object.
 * encode() returns one buffer up to 1,024 bytes of message, `[prefix, message]` above.
 *
 * Decoding throws FrameTooLargeError as soon as the prefix is read, FrameMalformedError on a length
 * that is less than its own prefix or a varint that is not in its shortest form or longer than 10
 * bytes, FrameTruncatedError at an end inside a frame. Encoding throws FrameTooLargeError for a
 * message above `maxFrameBytes` or above what the prefix can say.
 *
 * @throws TypeError, RangeError when an option is none of the values above
 * @example
 * const codec = lengthPrefix({ bytes: 2 });
 * assert.deepEqual(codec.encode(Buffer.from('hi')), Buffer.from('\0\x02hi'));
 * assert.deepEqual([...codec.decoder().push(Buffer.from('\0\x02hi'))], [Buffer.from('hi')]);
 */
export function lengthPrefix(options: LengthPrefixOptions = {}): Codec<Buffer, Uint8Array> {
  checkOptionNames(options, ['bytes', 'endian', 'includesPrefix', 'maxFrameBytes', 'copy']);
  const field = lengthField(options.bytes ?? 4, options.endian ?? 'big');
  const includesPrefix = options.includesPrefix ?? false;
  const maxFrameBytes = checkMaxFrameBytes(options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES);
  const format: Format = { field, includesPrefix, maxFrameBytes, copy: options.copy ?? false };
  return {
    encode: (message) => encode(format, checkBytesMessage(message)),
    encodeInto: (message, target, offset) =>
      encodeInto(format, checkBytesMessage(message), target, offset),
    decoder: () => new LengthPrefixDecoder(format),
  };
}

interface Format {
  readonly field: LengthField;
  readonly includesPrefix: boolean;
  readonly maxFrameBytes: number;
  readonly copy: boolean;
}

/** The number that goes into the prefix. */
function prefixed({ field, includesPrefix, maxFrameBytes }: Format, message: Uint8Array): number {
  if (message.length > maxFrameBytes) {
    const limit = { name: 'maxFrameBytes', bytes: maxFrameBytes };
    throw new FrameTooLargeError('encode', limit, message.length);
  }
  const length = includesPrefix ? field.including(message.length) : message.length;
  if (length > field.largest) {
    const limit = { name: 'the largest prefix', bytes: field.largest };
    throw new FrameTooLargeError('encode', limit, length);
  }
  return length;
}

function encode(format: Format, message: Uint8Array): Uint8Array | Uint8Array[] {
  const length = prefixed(format, message);
  const prefixBytes = format.field.width(length);
  const joined = message.length <= JOIN_LIMIT;
  const bytes = Buffer.allocUnsafe(joined ? prefixBytes + message.length : prefixBytes);
  format.field.write(bytes, length, 0);
  if (!joined) return [bytes, message];
  bytes.set(message, prefixBytes);
  return bytes;
}

function encodeInto(format: Format, message: Uint8Array, target: Buffer, offset: number): number {
  const length = prefixed(format, message);
  const prefixBytes = format.field.width(length);
  const end = offset + prefixBytes + message.length;
  if (end > target.length) return 0;
  format.field.write(target, length, offset);
  target.set(message, offset + prefixBytes);
  return end - offset;
}

class LengthPrefixDecoder extends SizedDecoder<Buffer> {
  readonly #field: LengthField;
  readonly #includesPrefix: boolean;
  readonly #maxFrameBytes: number;
  readonly #copy: boolean;
  #prefixBytes = 0;

  constructor({ field, includesPrefix, maxFrameBytes, copy }: Format) {
    super();
    this.#field = field;
    this.#includesPrefix = includesPrefix;
    this.#maxFrameBytes = maxFrameBytes;
    this.#copy = copy;
  }

  protected override frameBytes(bytes: Buffer, at: number, end: number): number {
    const prefixBytes = this.#field.size(bytes, at, end);
    if (prefixBytes === 0) return 0;
    const length = this.#field.read(bytes, at);
    const body = this.#includesPrefix ? length - prefixBytes : length;
    if (body < 0) {
      const state = `length ${length} is less than the ${prefixBytes} bytes of its prefix`;
      throw new FrameMalformedError('decode', state);
    }
    if (body > this.#maxFrameBytes) {
      const limit = { name: 'maxFrameBytes', bytes: this.#maxFrameBytes };
      throw new FrameTooLargeError('decode', limit, body);
    }
    this.#prefixBytes = prefixBytes;
    return prefixBytes + body;
  }

  protected override message(bytes: Buffer, from: number, to: number, owned: boolean): Buffer {
    return frameBody(bytes, from + this.#prefixBytes, to, this.#copy && !owned);
  }
}

import { checkOptionNames } from '../errors/index.ts';
import { asMalformed } from './as-malformed.ts';
import type { Codec, Decoder } from './codec.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { lines } from './lines.ts';
import { DEFAULT_MAX_FRAME_BYTES } from './check-options.ts';
import { FrameMalformedError, FrameTruncatedError } from './protocol-error.ts';

/** Options of {@link jsonLines}. */
export interface JsonLinesOptions {
  /** Longest line in bytes, without its newline. Default 1,048,576. */
  maxFrameBytes?: number;
  /** Bytes behind the last newline at end(): a last value, or an error. Default 'keep'. */
  final?: 'keep' | 'reject';
}

/**
 * JSON values (RFC 8259), one a line of UTF-8 (https://jsonlines.org, application/x-ndjson).
 *
 * LF and CR LF end a line, LF is sent; empty lines are skipped, as ndjson allows. The type parameter
 * is a claim about the peer that nothing checks. `maxFrameBytes` bounds bytes: the value parsed from
 * them can take 28 times as much memory (measured with `[[[[…`; 5 times with small objects).
 *
 * Decoding throws FrameTooLargeError, FrameMalformedError with JSON.parse's error as `cause`, and
 * FrameTruncatedError when the stream ends inside a value. A bare number cut by the end can't be
 * told from a whole one; `final: 'reject'` leaves no doubt. Encoding throws FrameTooLargeError, and
 * FrameMalformedError for what JSON can't say (`undefined`, functions, bigints, cycles).
 *
 * @throws TypeError, RangeError when an option is none of the values above
 * @example
 * const codec = jsonLines<{ name: string }>();
 * assert.equal(String(codec.encode({ name: 'Ada' })), '{"name":"Ada"}\n');
 */
export function jsonLines<Message = unknown>(options: JsonLinesOptions = {}): Codec<Message> {
  checkOptionNames(options, ['maxFrameBytes', 'final']);
  const maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
  const text = lines({ maxFrameBytes, final: options.final ?? 'keep' });
  return {
    encode: (message) => text.encode(stringify(message)),
    decoder: () => new JsonLinesDecoder<Message>(text.decoder()),
  };
}

function stringify(message: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(message);
  } catch (cause) {
    throw new FrameMalformedError('encode', 'JSON cannot say this value', { cause });
  }
  if (json === undefined) {
    throw new FrameMalformedError('encode', `JSON cannot say this value, a ${typeof message}`);
  }
  return json;
}

class JsonLinesDecoder<Message> extends FrameDecoder<Message> {
  readonly #lines: Decoder<string>;

  constructor(decoder: Decoder<string>) {
    super();
    this.#lines = decoder;
  }

  get pendingBytes(): number {
    return this.#lines.pendingBytes ?? 0;
  }

  protected override decode(chunk: Buffer, messages: Message[]): void {
    for (const line of this.#lines.push(chunk)) {
      if (line === '') continue;
      const value: Message = asMalformed('a line is not JSON', () => JSON.parse(line));
      messages.push(value);
    }
  }

  protected override finish(messages: Message[]): void {
    for (const line of this.#lines.end() ?? []) {
      if (line === '') continue;
      try {
        const value: Message = JSON.parse(line);
        messages.push(value);
      } catch (cause) {
        throw new FrameTruncatedError('decode', 'the stream ended inside a JSON value', { cause });
      }
    }
  }
}

import { constants } from 'node:buffer';
import { ByteSearch } from './byte-search.ts';
import { checkOptionNames } from '../errors/index.ts';
import type { Codec } from './codec.ts';
import { DelimitedDecoder, type DelimitedFormat } from './delimited-decoder.ts';
import { type LineEncoding, type LineText, lineText, writeText } from './line-text.ts';
import { checkFinal, checkMaxFrameBytes, DEFAULT_MAX_LINE_BYTES } from './check-options.ts';
import { FrameMalformedError, FrameTooLargeError } from './protocol-error.ts';

/** Options of {@link lines}. */
export interface LinesOptions {
  /** Longest line in bytes, without its newline. Default 65,536. */
  maxFrameBytes?: number;
  /** Encoding of the text. Default 'utf8'. */
  encoding?: LineEncoding;
  /**
   * 'any': LF and CR LF both end a line, LF is sent. '\n': only LF does, a CR before it is part of
   * the line. '\r\n': only CR LF does, either alone is part of the line. Default 'any'.
   */
  newline?: 'any' | '\n' | '\r\n';
  /** Bytes behind the last newline at end(): a last line, or an error. Default 'keep'. */
  final?: 'keep' | 'reject';
  /** Bytes that are no text in the encoding: an error, or U+FFFD in their place. Default 'reject'. */
  malformed?: 'reject' | 'replace';
}

/**
 * Lines of text, delivered without their newlines.
 *
 * Bytes are decoded a whole line at a time, so that a chunk's end never cuts a character; newlines
 * are looked for in code units, so that UTF-16 is safe too. A byte order mark is text. At end()
 * with newline 'any' a lone CR counts as half of CR LF and is dropped.
 *
 * Decoding throws FrameTooLargeError as soon as a line has surely passed `maxFrameBytes`,
 * FrameMalformedError for bytes that are no text, and FrameTruncatedError for a last line without
 * newline when `final` is 'reject'. Encoding throws FrameTooLargeError, and FrameMalformedError for
 * a line that holds a newline (with 'any' also one that ends with CR) or a character that the
 * encoding lacks, lone surrogates included.
 *
 * @throws TypeError, RangeError when an option is none of the values above
 * @example
 * const decoder = lines().decoder();
 * assert.deepEqual([...decoder.push(Buffer.from('one\r\ntwo\nthr'))], ['one', 'two']);
 * assert.deepEqual([...(decoder.end() ?? [])], ['thr']);
 */
export function lines(options: LinesOptions = {}): Codec<string> {
  const format = checkOptions(options);
  return {
    encode: (line) => encode(format, line),
    decoder: () => new LineDecoder({ ...format, search: format.search.fresh() }),
  };
}

interface LineFormat extends DelimitedFormat {
  readonly text: LineText;
  readonly replace: boolean;
  /** The newline that is sent. */
  readonly sent: '\n' | '\r\n';
}

function checkOptions(options: LinesOptions): LineFormat {
  checkOptionNames(options, ['maxFrameBytes', 'encoding', 'newline', 'final', 'malformed']);
  const text = lineText(options.encoding ?? 'utf8');
  const newline = options.newline ?? 'any';
  if (newline !== 'any' && newline !== '\n' && newline !== '\r\n') {
    const given = JSON.stringify(newline);
    throw new RangeError(
      `Cannot create codec: newline ${given}, 'any', '\\n' or '\\r\\n' is needed`,
    );
  }
  const malformed = options.malformed ?? 'reject';
  if (malformed !== 'reject' && malformed !== 'replace') {
    const given = String(malformed);
    throw new RangeError(
      `Cannot create codec: malformed ${given}, 'reject' or 'replace' is needed`,
    );
  }
  const sent = newline === 'any' ? '\n' : newline;
  return {
    text,
    replace: malformed === 'replace',
    sent,
    unit: text.unit,
    search: new ByteSearch(text.write(sent), text.unit),
    maxFrameBytes: checkMaxFrameBytes(
      options.maxFrameBytes,
      DEFAULT_MAX_LINE_BYTES,
      constants.MAX_STRING_LENGTH,
    ),
    final: checkFinal(options.final ?? 'keep'),
    ...(newline === 'any' ? { optional: text.write('\r') } : {}),
  };
}

function encode(format: LineFormat, line: string): Buffer {
  if (typeof line !== 'string') {
    throw new TypeError(`Cannot encode frame: line is a ${typeof line}, a string is needed`);
  }
  if (line.includes(format.sent) || (format.optional !== undefined && line.endsWith('\r'))) {
    throw new FrameMalformedError('encode', 'the line holds a newline');
  }
  const bytes = writeText(format.text, line, format.sent);
  const contentBytes = bytes.length - format.search.pattern.length;
  if (contentBytes > format.maxFrameBytes) {
    const limit = { name: 'maxFrameBytes', bytes: format.maxFrameBytes };
    throw new FrameTooLargeError('encode', limit, contentBytes);
  }
  return bytes;
}

class LineDecoder extends DelimitedDecoder<string> {
  readonly #text: LineText;
  readonly #replace: boolean;

  constructor(format: LineFormat) {
    super(format);
    this.#text = format.text;
    this.#replace = format.replace;
  }

  protected override message(bytes: Buffer, from: number, to: number): string {
    const line = this.#text.read(bytes, from, to);
    if (!this.#replace && !this.#text.isText(bytes, from, to, line)) {
      throw new FrameMalformedError(
        'decode',
        `a line of ${to - from} bytes is not text in its encoding`,
      );
    }
    return line;
  }
}

import { isUtf8 } from 'node:buffer';
import { FrameMalformedError } from './protocol-error.ts';

/** Encodings that lines can be written in. */
export type LineEncoding = 'utf8' | 'utf-8' | 'utf16le' | 'latin1' | 'ascii';

/** Text to bytes and back, in one encoding. */
export interface LineText {
  /** Width of a code unit in bytes. */
  readonly unit: 1 | 2;
  /** Whether every character of the text exists in the encoding. */
  canWrite(text: string): boolean;
  write(text: string): Buffer;
  /** Text of bytes[from, to), with U+FFFD for what isn't text. */
  read(bytes: Buffer, from: number, to: number): string;
  /** Whether bytes[from, to), which gave `text`, are text throughout. */
  isText(bytes: Buffer, from: number, to: number, text: string): boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;
const BEYOND_ASCII = /[\u0080-\uffff]/;
const REPLACEMENT = '\ufffd';

const utf8: LineText = {
  unit: 1,
  canWrite: (text) => !LONE_SURROGATE.test(text),
  write: (text) => Buffer.from(text, 'utf8'),
  read: (bytes, from, to) => bytes.toString('utf8', from, to),
  // Looking for U+FFFD first spares all but suspicious lines isUtf8 and its view: 70 ns a line.
  isText: (bytes, from, to, text) =>
    !text.includes(REPLACEMENT) || isUtf8(bytes.subarray(from, to)),
};

const utf16le: LineText = {
  unit: 2,
  canWrite: (text) => !LONE_SURROGATE.test(text),
  write: (text) => Buffer.from(text, 'utf16le'),
  read(bytes, from, to) {
    const text = bytes.toString('utf16le', from, to).replace(LONE_SURROGATES, REPLACEMENT);
    return (to - from) % 2 === 0 ? text : text + REPLACEMENT;
  },
  isText: (bytes, from, to) =>
    (to - from) % 2 === 0 && !LONE_SURROGATE.test(bytes.toString('utf16le', from, to)),
};

const latin1: LineText = {
  unit: 1,
  canWrite: (text) => !BEYOND_LATIN1.test(text),
  write: (text) => Buffer.from(text, 'latin1'),
  read: (bytes, from, to) => bytes.toString('latin1', from, to),
  isText: () => true,
};

// Buffer's own 'ascii' drops the top bit, which would turn other bytes into wrong letters.
const ascii: LineText = {
  unit: 1,
  canWrite: (text) => !BEYOND_ASCII.test(text),
  write: (text) => Buffer.from(text, 'latin1'),
  read: (bytes, from, to) =>
    bytes.toString('latin1', from, to).replace(/[\u0080-\uffff]/g, REPLACEMENT),
  isText: (_bytes, _from, _to, text) => !text.includes(REPLACEMENT),
};

const encodings: Record<LineEncoding, LineText> = { utf8, 'utf-8': utf8, utf16le, latin1, ascii };

/** The text functions of an encoding. @throws RangeError for an encoding that isn't there */
export function lineText(encoding: LineEncoding): LineText {
  if (Object.hasOwn(encodings, encoding)) return encodings[encoding];
  const known = Object.keys(encodings).join(', ');
  throw new RangeError(
    `Cannot create codec: encoding ${JSON.stringify(encoding)}, one of ${known} is needed`,
  );
}

/** A line and its newline as bytes. @throws FrameMalformedError for a character that can't be written */
export function writeText(codec: LineText, line: string, newline: string): Buffer {
  if (!codec.canWrite(line)) {
    throw new FrameMalformedError('encode', 'the line has a character that its encoding lacks');
  }
  return codec.write(line + newline);
}

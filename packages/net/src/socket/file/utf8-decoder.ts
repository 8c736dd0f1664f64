import { isUtf8 } from 'node:buffer';
import { type Decoder, type TextErrors, undecodable } from './text-errors.ts';

/**
 * UTF-8 over any split. TextDecoder has no way to ignore what is invalid, and loses the text before
 * it when it is fatal; this gives that text first and fails then.
 */
export class Utf8Decoder implements Decoder {
  readonly #errors: TextErrors;
  #cut = Buffer.alloc(0);
  failure: Error | undefined;

  constructor(errors: TextErrors) {
    this.#errors = errors;
  }

  decode(bytes: Buffer, final: boolean): string {
    const all = this.#cut.length === 0 ? bytes : Buffer.concat([this.#cut, bytes]);
    const end = final ? all.length : wholeLength(all);
    this.#cut = Buffer.from(all.subarray(end));
    const whole = all.subarray(0, end);
    return isUtf8(whole) ? whole.toString() : this.#repair(whole);
  }

  #repair(bytes: Buffer): string {
    let text = '';
    let from = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes, at);
      if (length > 0) {
        at += length;
        continue;
      }
      text += bytes.toString('utf8', from, at);
      if (this.#errors === 'strict') {
        this.failure = undecodable('utf-8', bytes[at]);
        return text;
      }
      if (this.#errors === 'replace') text += '\ufffd';
      at += length === 0 ? bytes.length - at : -length;
      from = at;
    }
    return text + bytes.toString('utf8', from);
  }
}

/** The bytes before a sequence that the end cuts off. */
function wholeLength(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= Math.max(bytes.length - 3, 0); at--) {
    if (sequenceLength(bytes, at) === 0) return at;
  }
  return bytes.length;
}

/**
 * The length of the sequence at `at`; 0 when the end cuts it off, below 0 for that many bytes that
 * begin none. Source: RFC 3629, section 4; Unicode 15, table 3-7 and "maximal subpart".
 */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return -1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return 0;
    if (byte < low || byte > high) return -i;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

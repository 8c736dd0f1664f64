import { type Decoder, type TextErrors, undecodable } from './text-errors.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * UTF-16 over any split; what is invalid in it is a surrogate alone and half a unit at the end.
 * Source: RFC 2781.
 */
export class Utf16Decoder implements Decoder {
  readonly #label: string;
  readonly #errors: TextErrors;
  #cut = Buffer.alloc(0);
  failure: Error | undefined;

  constructor(label: 'utf-16le' | 'utf-16be', errors: TextErrors) {
    this.#label = label;
    this.#errors = errors;
  }

  decode(bytes: Buffer, final: boolean): string {
    const all = Buffer.concat([this.#cut, bytes]);
    const end = this.#wholeLength(all);
    this.#cut = Buffer.from(all.subarray(end));
    const whole = all.subarray(0, end);
    const text = (this.#label === 'utf-16be' ? whole.swap16() : whole).toString('utf16le');
    // A lone surrogate stands for what the end of the stream cut off.
    return this.#repair(final && this.#cut.length > 0 ? `${text}\ud800` : text);
  }

  #repair(text: string): string {
    const at = text.search(LONE_SURROGATE);
    if (at < 0) return text;
    if (this.#errors !== 'strict') {
      const instead = this.#errors === 'replace' ? '\ufffd' : '';
      return text.replace(new RegExp(LONE_SURROGATE, 'gu'), instead);
    }
    this.failure = undecodable(this.#label);
    return text.slice(0, at);
  }

  /** The bytes before half a unit or half a pair at the end. */
  #wholeLength(bytes: Buffer): number {
    const even = bytes.length & ~1;
    const high = bytes[even - (this.#label === 'utf-16be' ? 2 : 1)] ?? 0;
    return even >= 2 && (high & 0xfc) === 0xd8 ? even - 2 : even;
  }
}

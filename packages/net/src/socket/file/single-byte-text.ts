import { type Decoder, type TextErrors, undecodable } from './text-errors.ts';

/** The 256 characters of a single-byte encoding; undefined for a byte that is none. */
export type ByteTable = readonly (string | undefined)[];

/** The table of an encoding; undefined where it isn't a single-byte one. */
export function singleByteTable(label: string): ByteTable | undefined {
  if (label === 'latin1') return Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
  if (label === 'ascii') return Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));
  // The single-byte encodings of the Encoding Standard, section 4.2.
  if (!/^(ibm866|iso-8859-\d+(-i)?|koi8-[ru]|macintosh|windows-\d+|x-mac-cyrillic)$/.test(label))
    return undefined;
  return Array.from({ length: 256 }, (_, i) => {
    // Without `stream` Node.js 20 takes the short cut of latin1 for windows-1252.
    const text = new TextDecoder(label).decode(Uint8Array.of(i), { stream: true });
    return text === '\ufffd' ? undefined : text;
  });
}

/** Decodes a single-byte encoding: no split can cut a character. */
export class SingleByteDecoder implements Decoder {
  readonly #label: string;
  readonly #table: ByteTable;
  readonly #errors: TextErrors;
  failure: Error | undefined;

  constructor(label: string, table: ByteTable, errors: TextErrors) {
    this.#label = label;
    this.#table = table;
    this.#errors = errors;
  }

  decode(bytes: Buffer): string {
    let text = '';
    for (const byte of bytes) {
      const character = this.#table[byte];
      if (character !== undefined) text += character;
      else if (this.#errors === 'replace') text += '\ufffd';
      else if (this.#errors === 'strict') {
        this.failure = undecodable(this.#label, byte);
        return text;
      }
    }
    return text;
  }
}

import { checkString, invalidValue } from '../../errors/index.ts';
import { type ByteTable, SingleByteDecoder, singleByteTable } from './single-byte-text.ts';
import { type Decoder, type Encode, type TextErrors, undecodable } from './text-errors.ts';
import { Utf16Decoder } from './utf16-decoder.ts';
import { Utf8Decoder } from './utf8-decoder.ts';

// TextDecoder takes these for windows-1252, which they are not.
const OWN_LABELS: Readonly<Record<string, string>> = {
  latin1: 'latin1',
  'latin-1': 'latin1',
  'iso-8859-1': 'latin1',
  l1: 'latin1',
  binary: 'latin1',
  ascii: 'ascii',
  'us-ascii': 'ascii',
  // Node's and Python's names that TextDecoder doesn't know.
  utf16le: 'utf-16le',
  'utf-16-le': 'utf-16le',
  ucs2: 'utf-16le',
  'ucs-2': 'utf-16le',
  utf16be: 'utf-16be',
  'utf-16-be': 'utf-16be',
};

/** A character encoding of a text file. */
export interface TextEncoding {
  readonly label: string;
  decoder(errors: TextErrors): Decoder;
  /** undefined where the encoding can only be read. */
  encode(errors: TextErrors): Encode | undefined;
}

/** The encoding of a name: those of TextDecoder, except that latin1 and ascii are just that. */
export function textEncoding(name: unknown): TextEncoding {
  const wanted = checkString('encoding', name).trim().toLowerCase().replaceAll('_', '-');
  const label = OWN_LABELS[wanted] ?? canonicalLabel(wanted);
  const table = singleByteTable(label);
  return {
    label,
    decoder(errors) {
      if (label === 'utf-8') return new Utf8Decoder(errors);
      if (label === 'utf-16le' || label === 'utf-16be') return new Utf16Decoder(label, errors);
      if (table !== undefined) return new SingleByteDecoder(label, table, errors);
      return new MultiByteDecoder(label, errors);
    },
    encode(errors) {
      if (label.startsWith('utf-')) return unicodeEncode(label, errors);
      return table === undefined ? undefined : singleByteEncode(label, table, errors);
    },
  };
}

function canonicalLabel(name: string): string {
  try {
    return new TextDecoder(name).encoding;
  } catch {
    throw invalidValue('encoding', 'the name of a character encoding', name);
  }
}

/** The East Asian encodings, by TextDecoder. */
class MultiByteDecoder implements Decoder {
  readonly #label: string;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #errors: TextErrors;
  failure: Error | undefined;

  constructor(label: string, errors: TextErrors) {
    this.#label = label;
    this.#errors = errors;
    this.#decoder = new TextDecoder(label, { fatal: errors === 'strict' });
  }

  decode(bytes: Buffer, final: boolean): string {
    try {
      const text = this.#decoder.decode(bytes, { stream: !final });
      // Of these encodings only gb18030 has a U+FFFD of its own; it goes too.
      return this.#errors === 'ignore' ? text.replaceAll('\ufffd', '') : text;
    } catch {
      this.failure = undecodable(this.#label);
      return '';
    }
  }
}

function unencodable(label: string, character: string): TypeError {
  return invalidValue('data', `characters of ${label}`, character);
}

function unicodeEncode(label: string, errors: TextErrors): Encode {
  return (text) => {
    const wellFormed = text.replace(/\p{Surrogate}/gu, (character) => {
      if (errors === 'strict') throw unencodable(label, character);
      return errors === 'replace' ? '?' : '';
    });
    if (label === 'utf-8') return Buffer.from(wellFormed, 'utf8');
    const bytes = Buffer.from(wellFormed, 'utf16le');
    return label === 'utf-16be' ? bytes.swap16() : bytes;
  };
}

function singleByteEncode(label: string, table: ByteTable, errors: TextErrors): Encode {
  const byteOf = new Map(table.map((character, byte) => [character, byte]));
  return (text) => {
    const bytes: number[] = [];
    for (const character of text) {
      const byte = byteOf.get(character);
      if (byte !== undefined) bytes.push(byte);
      else if (errors === 'strict') throw unencodable(label, character);
      else if (errors === 'replace') bytes.push(0x3f);
    }
    return Uint8Array.from(bytes);
  };
}

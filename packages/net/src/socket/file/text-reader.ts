import { invalidType, outOfRange } from '../../errors/index.ts';
import { beyondMaxLength, type ByteReader } from './byte-reader.ts';
import type { FileProcess } from './file-process.ts';
import type { FileReader } from './file-reader.ts';
import { IncompleteReadError } from './incomplete-read-error.ts';
import { lineEnd, type Newline, NewlineTranslator } from './newline.ts';
import type { Decoder } from './text-errors.ts';

/** Reads text: bytes decoded as they come. Sizes count characters (code points), never halves. */
export class TextReader implements FileReader<string> {
  readonly #bytes: ByteReader;
  readonly #decoder: Decoder;
  readonly #newline: Newline;
  readonly #translator: NewlineTranslator | undefined;
  #text = '';

  constructor(bytes: ByteReader, decoder: Decoder, newline: Newline) {
    this.#bytes = bytes;
    this.#decoder = decoder;
    this.#newline = newline;
    this.#translator = newline === null ? new NewlineTranslator() : undefined;
  }

  *read(size: number): FileProcess<string | null> {
    const { more, at } = yield* this.#gather(size < 0 ? Number.POSITIVE_INFINITY : size);
    return more === 'waits' && at === 0 ? null : this.#take(at);
  }

  *readline(size: number): FileProcess<string | null> {
    const limit = size < 0 ? Number.POSITIVE_INFINITY : size;
    for (let searched = 0, more: number | 'waits' = 1; ; ) {
      const end = lineEnd(this.#text, searched, this.#newline, more === 0);
      const cut = end < 0 ? this.#text.length : end;
      if (size >= 0 && cut >= size) {
        const at = skip(this.#text, limit);
        if (at <= cut && at >= 0) return this.#take(at);
      }
      if (end >= 0 || more === 0) return this.#take(cut);
      if (more === 'waits') return this.#text === '' ? null : this.#take(cut);
      searched = this.#text.length;
      more = yield* this.#more();
    }
  }

  *readExactly(size: number): FileProcess<string | null> {
    const { more, at } = yield* this.#gather(size);
    if (more === 'waits') return null;
    if (more === 0) throw new IncompleteReadError(this.#take(this.#text.length), size);
    return this.#take(at);
  }

  *readUntil(delimiter: Uint8Array | string, maxLength: number): FileProcess<string | null> {
    const wanted = checkDelimiter(delimiter);
    for (let searched = 0; ; ) {
      const at = this.#text.indexOf(wanted, Math.max(searched - wanted.length + 1, 0));
      const end = at < 0 ? this.#text.length : at + wanted.length;
      if (end > maxLength || (at < 0 && end === maxLength)) throw beyondMaxLength(maxLength);
      if (at >= 0) return this.#take(end);
      searched = this.#text.length;
      const more = yield* this.#more();
      if (more === 'waits') return null;
      if (more === 0) throw new IncompleteReadError(this.#take(this.#text.length));
    }
  }

  /** Has `size` characters; `more` tells why there are fewer, `at` where they end. */
  *#gather(size: number): FileProcess<{ more: number | 'waits'; at: number }> {
    let at = 0;
    let count = 0;
    for (let more: number | 'waits' = 1; ; more = yield* this.#more()) {
      if (size === Number.POSITIVE_INFINITY) at = this.#text.length;
      for (; count < size && at < this.#text.length; count++) at += widthAt(this.#text, at);
      if (count === size) return { more: 1, at };
      if (more === 'waits' || more === 0) return { more, at };
    }
  }

  /** Decodes what comes next: 1 for text, 0 for the end. */
  *#more(): FileProcess<number | 'waits'> {
    for (;;) {
      if (this.#decoder.failure !== undefined) throw this.#decoder.failure;
      const bytes = yield* this.#bytes.readSome();
      if (bytes === null) return 'waits';
      const decoded = this.#decoder.decode(bytes, bytes.length === 0);
      const text = this.#translator?.translate(decoded) ?? decoded;
      this.#text += text;
      if (text !== '') return 1;
      if (bytes.length === 0 && this.#decoder.failure === undefined) return 0;
    }
  }

  #take(length: number): string {
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return text;
  }
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
}

/** Where `size` characters end; -1 where there are fewer. */
function skip(text: string, size: number): number {
  let at = 0;
  for (let count = 0; count < size; count++) {
    if (at >= text.length) return -1;
    at += widthAt(text, at);
  }
  return at;
}

function checkDelimiter(delimiter: Uint8Array | string): string {
  if (typeof delimiter !== 'string')
    throw invalidType('delimiter', 'a string, since the file is text', delimiter);
  if (delimiter === '') throw outOfRange('delimiter', 'at least 1 character long', delimiter);
  return delimiter;
}

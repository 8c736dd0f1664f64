import type { ByteWriter } from './byte-writer.ts';
import type { FileProcess } from './file-process.ts';
import type { Newline } from './newline.ts';
import type { TextEncoding } from './text-encoding.ts';
import type { Encode, TextErrors } from './text-errors.ts';

/** Writes text: encoded, each '\n' as the file's line end. */
export class TextWriter {
  readonly #bytes: ByteWriter;
  readonly #encode: Encode | undefined;
  readonly #lineEnd: string;

  constructor(
    bytes: ByteWriter,
    options: { encoding: TextEncoding; errors: TextErrors; newline: Newline },
  ) {
    this.#bytes = bytes;
    this.#encode = options.encoding.encode(options.errors);
    // POSIX: os.linesep is '\n'.
    this.#lineEnd = options.newline === null || options.newline === '' ? '\n' : options.newline;
  }

  /** Gives the characters of `text`. */
  *write(text: string): FileProcess<number> {
    const lines = this.#lineEnd === '\n' ? text : text.replaceAll('\n', this.#lineEnd);
    const encode = this.#encode as Encode;
    yield* this.#bytes.write(encode(lines));
    return codePoints(text);
  }

  flush(): FileProcess<void> {
    return this.#bytes.flush();
  }
}

function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) if ((text.codePointAt(at) as number) > 0xffff) count--;
  return count;
}

import { invalidValue } from '../../errors/index.ts';

/** Where a line ends (Python's TextIOWrapper): null is any of '\n', '\r', '\r\n', read as '\n'. */
export type Newline = null | '' | '\n' | '\r' | '\r\n';

export function checkNewline(newline: unknown): Newline {
  if (newline === undefined) return null;
  if (newline === null || newline === '' || newline === '\n') return newline;
  if (newline === '\r' || newline === '\r\n') return newline;
  throw invalidValue('newline', "null, '', '\\n', '\\r' or '\\r\\n'", newline);
}

/**
 * Makes every line end a '\n'. Unlike Python's decoder it doesn't hold a '\r' back until the next
 * byte, for which a peer may wait long: it gives the '\n' at once and drops the one that follows.
 */
export class NewlineTranslator {
  #afterReturn = false;

  translate(text: string): string {
    if (text === '') return '';
    const rest = this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#afterReturn = text.endsWith('\r');
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest;
  }
}

/**
 * Where the first line of `text` ends, searched from `from`; -1 where it doesn't. With '' a '\r' at
 * the end of `text` may be half of a '\r\n', unless `final`.
 */
export function lineEnd(text: string, from: number, newline: Newline, final: boolean): number {
  if (newline !== '') {
    const end = newline ?? '\n';
    const at = text.indexOf(end, Math.max(from - end.length + 1, 0));
    return at < 0 ? -1 : at + end.length;
  }
  for (let at = Math.max(from - 1, 0); at < text.length; at++) {
    if (text[at] === '\n') return at + 1;
    if (text[at] !== '\r') continue;
    if (text[at + 1] === '\n') return at + 2;
    return at + 1 < text.length || final ? at + 1 : -1;
  }
  return -1;
}

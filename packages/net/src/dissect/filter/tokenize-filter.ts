import { FilterError, type FilterPlace } from './filter-error.ts';

/** A word, number, address or sign of a filter. */
export interface FilterToken extends FilterPlace {
  /** `end` behind the last one. */
  readonly kind: 'word' | 'number' | 'address' | 'mac' | 'sign' | 'end';
  /** As written, words in lower case and without their backslash. */
  readonly text: string;
}

// The order matters: a MAC address before an IPv6 address, an address before a number.
const patterns: readonly (readonly [FilterToken['kind'], RegExp])[] = [
  ['mac', /[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}(?![0-9a-f:.])/iy],
  ['address', /(?:[0-9a-f]{0,4}:){2,}[0-9a-f.]*(?![\w:])/iy],
  ['address', /\d+(?:\.\d+){1,3}(?![\w.])/y],
  ['number', /(?:0x[0-9a-f]+|\d+)(?!\w)/iy],
  ['word', /\\?[a-z][\w.-]*/iy],
  ['sign', /&&|\|\||<<|>>|<=|>=|==|!=|[()[\]:!<>=&|^+\-*/%]/y],
];

/**
 * Splits a filter into tokens, the last of kind `end`.
 *
 * @throws FilterError at the first character that begins none
 */
export function tokenizeFilter(filter: string): FilterToken[] {
  const tokens: FilterToken[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(filter.charAt(at))) at++;
    if (at >= filter.length) break;
    const token = tokenAt(filter, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', start: filter.length, end: filter.length });
  return tokens;
}

function tokenAt(filter: string, start: number): FilterToken {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start;
    const found = pattern.exec(filter)?.[0];
    if (found === undefined) continue;
    const text = kind === 'word' ? found.toLowerCase().replace('\\', '') : found;
    return { kind, text, start, end: start + found.length };
  }
  const end = start + (/^\S+/.exec(filter.slice(start))?.[0].length ?? 1);
  throw new FilterError(filter, { start, end }, 'a word, a number, an address or an operator');
}

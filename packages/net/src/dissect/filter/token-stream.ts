import { FilterError, type FilterPlace } from './filter-error.ts';
import { type FilterToken, tokenizeFilter } from './tokenize-filter.ts';

// Parentheses and `not` nest as deep as the parser's own recursion; arbitrary, far from the stack's end.
const maxDepth = 200;

/** The tokens of a filter, one at a time. */
export class TokenStream {
  readonly filter: string;
  readonly #tokens: readonly FilterToken[];
  #next = 0;
  #depth = 0;

  constructor(filter: string) {
    this.filter = filter;
    this.#tokens = tokenizeFilter(filter);
  }

  peek(ahead = 0): FilterToken {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#next + ahead, last)]!;
  }

  take(): FilterToken {
    const token = this.peek();
    this.#next++;
    return token;
  }

  /** Takes the next token when it is one of these words or signs. */
  accept(...texts: readonly string[]): FilterToken | undefined {
    const token = this.peek();
    return isOperator(token) && texts.includes(token.text) ? this.take() : undefined;
  }

  expect(text: string): FilterToken {
    return this.accept(text) ?? this.fail(`"${text}"`);
  }

  /** @throws FilterError at the next token, or at the place given */
  fail(expected: string, place: FilterPlace = this.peek()): never {
    throw new FilterError(this.filter, place, expected);
  }

  nested<Result>(read: () => Result): Result {
    if (++this.#depth > maxDepth) this.fail(`at most ${maxDepth} levels`);
    const result = read();
    this.#depth--;
    return result;
  }

  /** A number up to `max`, or one of the words. */
  number(expected: string, max: number, words?: ReadonlyMap<string, number>): number {
    const token = this.peek();
    const value = token.kind === 'word' ? words?.get(token.text) : Number(token.text);
    const isNumber = token.kind === 'number' || token.kind === 'word';
    if (!isNumber || value === undefined || value > max) return this.fail(expected);
    this.take();
    return value;
  }
}

function isOperator(token: FilterToken): boolean {
  return token.kind === 'word' || token.kind === 'sign';
}

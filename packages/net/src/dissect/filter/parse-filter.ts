import type { FilterNode } from './filter-tree.ts';
import { parsePrimitive, type Qualifiers } from './parse-primitive.ts';
import { parseRelation } from './parse-relation.ts';
import { TokenStream } from './token-stream.ts';
import type { FilterToken } from './tokenize-filter.ts';

/**
 * Parses a filter of pcap-filter(7)'s language into a tree.
 *
 * `and` and `or` bind equally and from the left, `not` binds tightest, and an address or port alone
 * takes the qualifiers of the one before it (`tcp port 80 or 443`), all as in tcpdump. Not
 * supported: names of hosts and services, `gateway`, `protochain`, `ip broadcast`, and the
 * protocols behind `wlan`, `mpls`, `pppoe`, `iso` and their like.
 *
 * @throws FilterError with the place that is wrong and what was expected there
 *
 * @example
 * ```ts
 * assert.equal(parseFilter('tcp port 80 or arp')?.kind, 'or');
 * assert.equal(parseFilter('  '), undefined);
 * ```
 */
export function parseFilter(filter: string): FilterNode | undefined {
  const tokens = new TokenStream(filter);
  if (tokens.peek().kind === 'end') return undefined;
  const parser = new FilterParser(tokens);
  const node = parser.expression();
  if (tokens.peek().kind !== 'end') tokens.fail('"and", "or" or the end');
  return node;
}

class FilterParser {
  readonly #tokens: TokenStream;
  #last: Qualifiers | undefined;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  expression(): FilterNode {
    let left = this.#term();
    for (;;) {
      const operator = this.#tokens.accept('and', '&&', 'or', '||');
      if (operator === undefined) return left;
      const kind = operator.text === 'and' || operator.text === '&&' ? 'and' : 'or';
      left = { kind, left, right: this.#term() };
    }
  }

  #term(): FilterNode {
    return this.#tokens.nested(() => this.#nestedTerm());
  }

  #nestedTerm(): FilterNode {
    const tokens = this.#tokens;
    if (tokens.accept('not', '!') !== undefined) return { kind: 'not', operand: this.#term() };
    if (startsRelation(tokens)) return parseRelation(tokens);
    if (tokens.accept('(') !== undefined) {
      const inner = this.expression();
      tokens.expect(')');
      return inner;
    }
    const { node, qualifiers } = parsePrimitive(tokens, this.#last);
    this.#last = qualifiers ?? this.#last;
    return node;
  }
}

const valueSigns: ReadonlySet<string> = new Set(
  '= == != < > <= >= + - * / % & | ^ << >>'.split(' '),
);

function isValueSign(token: FilterToken): boolean {
  return token.kind === 'sign' && valueSigns.has(token.text);
}

/** Whether what comes is arithmetic: `len …`, `tcp[…`, `5 = …`, `-1 …`, `(…) >> …`. */
function startsRelation(tokens: TokenStream): boolean {
  const token = tokens.peek();
  const next = tokens.peek(1);
  if (token.text === '(') return isValueSign(tokens.peek(afterParenthesis(tokens)));
  if (token.text === 'len' || token.text === '-') return true;
  return (
    (next.kind === 'sign' && next.text === '[') || (token.kind === 'number' && isValueSign(next))
  );
}

/** How far ahead the token behind the parenthesis is that begins here. */
function afterParenthesis(tokens: TokenStream): number {
  let depth = 0;
  for (let ahead = 0; ; ahead++) {
    const { text, kind } = tokens.peek(ahead);
    if (kind === 'end') return ahead;
    if (text === '(') depth++;
    if (text === ')' && --depth === 0) return ahead + 1;
  }
}

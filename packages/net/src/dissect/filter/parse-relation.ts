import type {
  ArithmeticOperator,
  Comparison,
  FilterNode,
  FilterValue,
  LoadProtocol,
} from './filter-tree.ts';
import { filterConstants, isLoadProtocol } from './filter-words.ts';
import type { TokenStream } from './token-stream.ts';

const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['=', '='],
  ['==', '='],
  ['!=', '!='],
  ['>', '>'],
  ['<', '<'],
  ['>=', '>='],
  ['<=', '<='],
]);

// From the weakest to the strongest, as in libpcap's grammar.y.
const levels: readonly (readonly ArithmeticOperator[])[] = [
  ['|', '^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** A relation: two values with a comparison between. A parenthesis may enclose a value or the whole. */
export function parseRelation(tokens: TokenStream): FilterNode {
  const left = parseValue(tokens, 0);
  const operator = comparisons.get(tokens.peek().text);
  if (operator === undefined) return tokens.fail('a comparison: = != < > <= >=');
  tokens.take();
  return { kind: 'relation', operator, left, right: parseValue(tokens, 0) };
}

function parseValue(tokens: TokenStream, level: number): FilterValue {
  const operators = levels[level];
  if (operators === undefined) return tokens.nested(() => parseOperand(tokens));
  let left = parseValue(tokens, level + 1);
  for (;;) {
    const token = tokens.peek();
    const operator = operators.find((candidate) => candidate === token.text);
    if (operator === undefined || token.kind !== 'sign') return left;
    tokens.take();
    const rightPlace = tokens.peek();
    const right = parseValue(tokens, level + 1);
    if ((operator === '/' || operator === '%') && right.kind === 'number' && right.value === 0) {
      tokens.fail('a divisor other than 0', rightPlace);
    }
    left = { kind: 'arithmetic', operator, left, right };
  }
}

function parseOperand(tokens: TokenStream): FilterValue {
  if (tokens.accept('(') !== undefined) {
    const value = parseValue(tokens, 0);
    tokens.expect(')');
    return value;
  }
  if (tokens.accept('-') !== undefined) {
    const right = parseOperand(tokens);
    return { kind: 'arithmetic', operator: '-', left: { kind: 'number', value: 0 }, right };
  }
  const token = tokens.peek();
  if (token.text === 'len') {
    tokens.take();
    return { kind: 'length' };
  }
  const protocol = token.text === 'link' ? 'ether' : token.text;
  if (isLoadProtocol(protocol) && tokens.peek(1).text === '[') return parseLoad(tokens, protocol);
  const expected = 'a number below 2^32, "len" or protocol[offset]';
  return { kind: 'number', value: tokens.number(expected, 0xffffffff, filterConstants) };
}

function parseLoad(tokens: TokenStream, protocol: LoadProtocol): FilterValue {
  tokens.take();
  tokens.expect('[');
  const index = parseValue(tokens, 0);
  const size = tokens.accept(':') === undefined ? 1 : parseSize(tokens);
  tokens.expect(']');
  return { kind: 'load', protocol, index, size };
}

function parseSize(tokens: TokenStream): 1 | 2 | 4 {
  const place = tokens.peek();
  const size = tokens.number('1, 2 or 4 bytes', 4);
  if (size === 1 || size === 2 || size === 4) return size;
  return tokens.fail('1, 2 or 4 bytes', place);
}

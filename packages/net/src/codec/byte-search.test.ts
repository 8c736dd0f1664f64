import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteSearch } from './byte-search.ts';

/** Ends of the matches, found the plain way in the whole text. */
function plainly(text: string, pattern: string, unit: number): number[] {
  const ends: number[] = [];
  let start = 0;
  for (let at = 0; at + pattern.length <= text.length; at++) {
    const end = at + pattern.length;
    if (at < start || (end - start) % unit !== 0 || !text.startsWith(pattern, at)) continue;
    ends.push(end);
    start = end;
  }
  return ends;
}

function inChunks(chunks: string[], pattern: string, unit: number): number[] {
  const search = new ByteSearch(Buffer.from(pattern), unit);
  const ends: number[] = [];
  let before = 0;
  for (const chunk of chunks.map((text) => Buffer.from(text))) {
    for (let at = search.next(chunk, 0); at >= 0; at = search.next(chunk, at))
      ends.push(before + at);
    before += chunk.length;
  }
  return ends;
}

const word = (limits: { minLength?: number; maxLength: number }) =>
  fc.array(fc.constantFrom('a', 'b'), limits).map((letters) => letters.join(''));

test('next() finds what a plain search finds, aligned or not, as a property over two letters', () => {
  const chunks = fc.array(word({ maxLength: 12 }), { maxLength: 8 });
  const patterns = fc.record({ half: word({ minLength: 1, maxLength: 3 }), twice: fc.boolean() });
  fc.assert(
    fc.property(chunks, patterns, fc.constantFrom(1, 2), (texts, { half, twice }, unit) => {
      const pattern = twice || unit === 2 ? half + half : half;
      assert.deepEqual(inChunks(texts, pattern, unit), plainly(texts.join(''), pattern, unit));
    }),
    { numRuns: 3000 },
  );
});

test('next() goes on inside a match that was not aligned', () => {
  assert.deepEqual(inChunks(['xaaa'], 'aa', 2), [4]);
});

test('matched counts the bytes at the end that may belong to the pattern', () => {
  const search = new ByteSearch(Buffer.from('abab'));
  const seen = ['xab', 'a', 'a', 'bab', ''].map((text) => {
    search.next(Buffer.from(text), 0);
    return search.matched;
  });
  assert.deepEqual(seen, [2, 3, 1, 0, 0]);
});

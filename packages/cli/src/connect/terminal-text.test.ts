import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TerminalText } from './terminal-text.ts';

function shown(pieces: readonly Uint8Array[]): string {
  const text = new TerminalText();
  return `${pieces.map((piece) => text.push(piece)).join('')}${text.end()}`;
}

test('TerminalText shows the same text for every split', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const text = fc.string({ unit: fc.constantFrom('a', '你', '😀', '\r', '\n', '\x1b') });
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        text.map((characters) => Buffer.from(characters)),
      ),
      fc.array(fc.nat({ max: 160 }), { maxLength: 6 }),
      (data, cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), data.length];
        const pieces = edges.slice(1).map((end, i) => data.subarray(edges[i], end));
        assert.equal(shown(pieces), shown([data]));
      },
    ),
  );
});

test('TerminalText lets no control character through but newline and tab, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (pieces) => {
      // oxlint-disable-next-line no-control-regex -- what must not reach a terminal
      assert.doesNotMatch(shown(pieces), /[\0-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
  );
});

test('TerminalText turns CR LF into a newline, in one piece or two, and shows a CR alone', () => {
  assert.equal(shown([Buffer.from('a\r\nb')]), 'a\nb');
  assert.equal(shown([Buffer.from('a\r'), Buffer.from('\nb')]), 'a\nb');
  assert.equal(shown([Buffer.from('a\r'), Buffer.from('b\r')]), 'a\\rb\\r');
});

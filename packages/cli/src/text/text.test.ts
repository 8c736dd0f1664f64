import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { counted } from './counted.ts';
import { escapeText } from './escape-text.ts';
import { QuitWord } from './quit-word.ts';
import { Utf8Cutter } from './utf8-cutter.ts';

test('counted() has one thing in the singular, and none or more in the plural', () => {
  const counts = [0, 1, 2].map((count) => [
    counted(count, 'byte'),
    counted(count, 'reply', 'replies'),
  ]);
  assert.deepEqual(counts, [
    ['0 bytes', '0 replies'],
    ['1 byte', '1 reply'],
    ['2 bytes', '2 replies'],
  ]);
});

test('escapeText() escapes what drives a terminal or turns a line around, and nothing else', () => {
  assert.equal(escapeText('\x1b]0;x\x07\x9b2J\x7f\r\b'), '\\x1b]0;x\\x07\\x9b2J\\x7f\\r\\x08');
  assert.equal(escapeText('a\u202eb\u2066c\u2028'), 'a\\u202eb\\u2066c\\u2028');
  assert.equal(escapeText('tab\tline\n 你好 é 👩‍👩‍👧'), 'tab\tline\n 你好 é 👩‍👩‍👧');
  assert.equal(escapeText('a\n\tb', { keep: '' }), 'a\\n\\tb');
});

/** Text with characters of one to four bytes, cut into pieces anywhere. */
const cutText = fc
  .string({ unit: fc.constantFrom('a', 'é', '你', '😀'), maxLength: 40 })
  .chain((text) => {
    const bytes = Buffer.from(text);
    return fc
      .array(fc.nat({ max: bytes.length }), { maxLength: 10 })
      .map((cuts) => ({ bytes, cuts: cuts.toSorted((a, b) => a - b) }));
  });

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
}

test('Utf8Cutter gives whole characters for every split, and all bytes in the end', () => {
  fc.assert(
    fc.property(cutText, ({ bytes, cuts }) => {
      const cutter = new Utf8Cutter();
      const out = pieces(bytes, cuts).map((piece) => cutter.push(piece));
      for (const piece of out) assert.ok(!piece.toString().includes('\ufffd'));
      assert.equal(cutter.end().length, 0);
      assert.deepEqual(Buffer.concat(out), bytes);
    }),
  );
});

test('Utf8Cutter keeps every byte of what is not UTF-8', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), (chunks) => {
      const cutter = new Utf8Cutter();
      const out = chunks.map((chunk) => Buffer.from(cutter.push(Buffer.from(chunk))));
      assert.deepEqual(Buffer.concat([...out, cutter.end()]), Buffer.concat(chunks));
    }),
  );
});

const QUITS: readonly [string, readonly string[], number][] = [
  ['a piece that is the word', ['quit'], 0],
  ['with a newline', ['quit\n'], 0],
  ['with CR LF', ['quit\r\n'], 0],
  ['a line in a piece', ['hello\nquit\nmore'], 6],
  ['a line at the end of a piece', ['hello\nquit'], 6],
  ['a line in two pieces', ['qu', 'it\n'], 0],
  ['a piece after the start of a line', ['please ', 'quit'], 0],
  ['a longer word', ['quitting\n'], -1],
  ['the word in a line', ['do quit\n', 'quit it\n'], -1],
  ['a line that is too long at first', ['x'.repeat(100), '\nquit\n'], 1],
  ['an empty piece', [''], -1],
];

for (const [name, texts, expected] of QUITS) {
  test(`QuitWord finds ${JSON.stringify(texts)} at ${expected}: ${name}`, () => {
    const word = new QuitWord('quit');
    const found = texts.map((text) => word.find(Buffer.from(text)));
    assert.equal(found.at(-1), expected);
    assert.ok(found.slice(0, -1).every((index) => index === -1));
  });
}

test('QuitWord finds a word of characters that came in parts', () => {
  const bytes = Buffer.from('退出');
  const word = new QuitWord('退出');
  assert.equal(word.find(bytes.subarray(0, 4)), -1);
  assert.equal(word.find(bytes.subarray(4)), 0);
});

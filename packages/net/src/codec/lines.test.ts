import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCuts, failure, joined } from './check-codec.test.util.ts';
import { lines, type LinesOptions } from './lines.ts';
import { wrongArgument } from './wrong-argument.test.util.ts';

const good: [options: LinesOptions, stream: string, messages: string[]][] = [
  [{}, 'a\nb\r\n\n\r\nc', ['a', 'b', '', '', 'c']],
  [{}, 'a\r\r\nb\rc\n', ['a\r', 'b\rc']],
  [{}, 'a\n', ['a']],
  [{}, 'a\r', ['a']],
  [{}, '\ufeffä😀\r\n中', ['\ufeffä😀', '中']],
  [{}, 'real \ufffd\n', ['real \ufffd']],
  [{ newline: '\n' }, 'a\r\nb\n\r', ['a\r', 'b', '\r']],
  [{ newline: '\r\n' }, 'a\nb\rc\r\r\nd\r', ['a\nb\rc\r', 'd\r']],
];

for (const [options, stream, messages] of good) {
  test(`lines(${JSON.stringify(options)}) reads ${JSON.stringify(stream)}`, () => {
    checkCuts(lines(options), Buffer.from(stream), { messages });
  });
}

test("lines({ encoding: 'utf16le' }) looks for newlines in code units, not bytes", () => {
  const texts = ['\u0a0d\u0d0a', '\u0a00\u000d\u0a0a', '😀', ''];
  const codec = lines({ encoding: 'utf16le' });
  const stream = Buffer.concat(texts.map((text) => joined(codec.encode(text))));
  checkCuts(codec, stream, { messages: texts });
  checkCuts(codec, Buffer.from('a\r\nb\r', 'utf16le'), { messages: ['a', 'b'] });
});

test("lines({ encoding: 'latin1' }) gives every byte its character", () => {
  checkCuts(lines({ encoding: 'latin1' }), Buffer.from([0xe9, 0x80, 0x0a]), {
    messages: ['é\u0080'],
  });
});

test('lines() decodes a line only when it is whole: no cut harms a character', () => {
  const decoder = lines().decoder();
  const bytes = Buffer.from('中\n');
  assert.deepEqual([...decoder.push(bytes.subarray(0, 1))], []);
  assert.deepEqual([...decoder.push(bytes.subarray(1))], ['中']);
});

const notText = (bytes: number) =>
  `ERR_FRAME_MALFORMED: Cannot decode frame: a line of ${bytes} bytes is not text in its encoding`;
const bad: [name: string, options: LinesOptions, line: number[], replaced: string][] = [
  ['half a UTF-8 character', {}, [0x61, 0xe4, 0xb8], 'a\ufffd'],
  ['an overlong form', {}, [0xc0, 0xaf], '\ufffd\ufffd'],
  ['a surrogate in UTF-8', {}, [0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
  ['a lone surrogate in UTF-16', { encoding: 'utf16le' }, [0x00, 0xd8], '\ufffd'],
  ['a byte above 127 in ASCII', { encoding: 'ascii' }, [0x61, 0xe1], 'a\ufffd'],
];

for (const [name, options, line, replaced] of bad) {
  test(`lines() rejects ${name}, or replaces it when told to`, () => {
    const newline = Buffer.from('\n', options.encoding === 'utf16le' ? 'utf16le' : 'utf8');
    const stream = Buffer.concat([newline, Buffer.from(line), newline]);
    checkCuts(lines(options), stream, { messages: [''], error: notText(line.length) });
    checkCuts(lines({ ...options, malformed: 'replace' }), stream, { messages: ['', replaced] });
  });
}

test("lines({ encoding: 'utf16le' }) tells half a code unit at the end", () => {
  const stream = Buffer.from([0x61, 0x00, 0x62]);
  const codec = lines({ encoding: 'utf16le' });
  checkCuts(codec, stream, { messages: [], error: notText(3) });
  const replacing = lines({ encoding: 'utf16le', malformed: 'replace' });
  checkCuts(replacing, stream, { messages: ['a\ufffd'] });
});

test("lines({ final: 'reject' }) throws FrameTruncatedError for a line without newline", () => {
  const error =
    'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended 1 bytes into a frame, before its end mark';
  checkCuts(lines({ final: 'reject' }), Buffer.from('a\nb'), { messages: ['a'], error });
  checkCuts(lines({ final: 'reject' }), Buffer.from('a\n'), { messages: ['a'] });
});

test('lines() takes maxFrameBytes without counting LF or CR LF, and refuses a byte more', () => {
  const codec = lines({ maxFrameBytes: 3 });
  const error = 'ERR_FRAME_TOO_LARGE: Cannot decode frame: a frame exceeds maxFrameBytes 3';
  checkCuts(codec, Buffer.from('abc\r\nabc\nabc\r'), { messages: ['abc', 'abc', 'abc'] });
  checkCuts(codec, Buffer.from('a\nabcd\n'), { messages: ['a'], error });
  checkCuts(codec, Buffer.from('a\nabc\rd'), { messages: ['a'], error });
  checkCuts(codec, Buffer.from('a\nabc\r\r\n'), { messages: ['a'], error });
  checkCuts(codec, Buffer.from('a\nabcd'), { messages: ['a'], error });
  const utf16 = lines({ maxFrameBytes: 2, encoding: 'utf16le' });
  checkCuts(utf16, Buffer.from('a\r\nb\n', 'utf16le'), { messages: ['a', 'b'] });
  checkCuts(utf16, Buffer.from('a\r\nb\rb\n', 'utf16le'), {
    messages: ['a'],
    error: error.replace('3', '2'),
  });
});

test('lines() allows 64 KiB by default', () => {
  const decoder = lines().decoder();
  assert.equal([...decoder.push(Buffer.from(`${'x'.repeat(65_536)}\r\n`))].length, 1);
  assert.match(
    failure(() => decoder.push(Buffer.from('x'.repeat(65_537)))),
    /maxFrameBytes 65536$/,
  );
});

test('lines().encode() writes its newline and refuses a line that would not come back', () => {
  assert.equal(String(joined(lines().encode('é'))), 'é\n');
  assert.equal(String(joined(lines({ newline: '\r\n' }).encode('a\nb\r'))), 'a\nb\r\r\n');
  const newline = 'ERR_FRAME_MALFORMED: Cannot encode frame: the line holds a newline';
  const character =
    'ERR_FRAME_MALFORMED: Cannot encode frame: the line has a character that its encoding lacks';
  const refused: [LinesOptions, string, string][] = [
    [{}, 'a\nb', newline],
    [{}, 'a\r', newline],
    [{ newline: '\n' }, 'a\n', newline],
    [{ newline: '\r\n' }, 'a\r\nb', newline],
    [{}, '\ud800', character],
    [{ encoding: 'utf16le' }, '\udc00', character],
    [{ encoding: 'latin1' }, '中', character],
    [{ encoding: 'ascii' }, 'é', character],
    [
      { maxFrameBytes: 2 },
      'aé',
      'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 3 exceeds maxFrameBytes 2',
    ],
  ];
  for (const [options, line, error] of refused) {
    assert.equal(
      failure(() => lines(options).encode(line)),
      error,
      JSON.stringify(line),
    );
  }
});

const wrong = (options: unknown) => () => lines(wrongArgument(options));

test('lines() refuses wrong arguments by name', () => {
  assert.throws(wrong({ encoding: 'utf7' }), { name: 'RangeError', message: /encoding "utf7"/ });
  assert.throws(wrong({ encoding: 'toString' }), { name: 'RangeError' });
  assert.throws(wrong({ newline: '\r' }), { name: 'RangeError', message: /newline "\\r"/ });
  assert.throws(wrong({ malformed: 'drop' }), { name: 'RangeError', message: /malformed drop/ });
  // A longer line could not become a string: V8's limit, not ours, would speak.
  assert.throws(wrong({ maxFrameBytes: 2 ** 31 }), { name: 'RangeError' });
  assert.throws(() => lines().encode(wrongArgument(1)), {
    name: 'TypeError',
    message: /line is a number/,
  });
});

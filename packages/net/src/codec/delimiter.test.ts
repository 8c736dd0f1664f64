import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkCuts, failure, joined } from './check-codec.test.util.ts';
import { delimiter } from './delimiter.ts';
import { wrongArgument } from './wrong-argument.test.util.ts';

const cases: [mark: string, stream: string, messages: string[]][] = [
  ['\n', 'a\n\nb\n', ['a', '', 'b']],
  ['\r\n', 'a\r\r\n\nb\r\n', ['a\r', '\nb']],
  ['aab', 'aaab', ['a']],
  ['abab', 'xababababab', ['x', '']],
  ['abcabd', 'abcabcabd', ['abc']],
  ['aaaa', 'aaaaaaaa', ['', '']],
];

for (const [mark, stream, messages] of cases) {
  test(`delimiter(${JSON.stringify(mark)}) takes ${JSON.stringify(stream)} apart`, () => {
    checkCuts(delimiter(mark, { final: 'keep' }), Buffer.from(stream), {
      messages: mark === 'abab' ? [...messages, 'ab'] : messages,
    });
  });
}

test('delimiter() splits as Buffer.indexOf would, as a property over few letters', () => {
  const letters = fc.array(fc.constantFrom('a', 'b'), { maxLength: 60 }).map((all) => all.join(''));
  const marks = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      letters,
      marks.map((all) => all.join('')),
      (text, mark) => {
        const messages = text.split(mark);
        if (messages.at(-1) === '') messages.pop();
        checkCuts(delimiter(mark, { final: 'keep' }), Buffer.from(text), { messages });
      },
    ),
    { numRuns: 300 },
  );
});

test('delimiter() rejects an end before the delimiter by default', () => {
  const error =
    'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended 2 bytes into a frame, before its end mark';
  checkCuts(delimiter('\r\n'), Buffer.from('a\r\nb\r'), { messages: ['a'], error });
  checkCuts(delimiter('\r\n'), Buffer.from('a\r\n'), { messages: ['a'] });
});

test('delimiter() takes maxFrameBytes and refuses a byte more, whether the delimiter comes or not', () => {
  const codec = delimiter('\r\n', { maxFrameBytes: 3, final: 'keep' });
  const error = 'ERR_FRAME_TOO_LARGE: Cannot decode frame: a frame exceeds maxFrameBytes 3';
  checkCuts(codec, Buffer.from('abc\r\nabc'), { messages: ['abc', 'abc'] });
  checkCuts(codec, Buffer.from('abc\r\nabcd\r\n'), { messages: ['abc'], error });
  checkCuts(codec, Buffer.from('abc\r\nabcd'), { messages: ['abc'], error });
  checkCuts(codec, Buffer.from('abc\r\nabc\rd'), { messages: ['abc'], error });
  checkCuts(codec, Buffer.from('abc\r\nabc\r'), { messages: ['abc'], error });
});

test('delimiter().push() holds a frame of maxFrameBytes and half a delimiter without an error', () => {
  const decoder = delimiter('\r\n', { maxFrameBytes: 3 }).decoder();
  assert.deepEqual([...decoder.push(Buffer.from('abc\r'))], []);
  assert.equal(decoder.pendingBytes, 4);
  assert.deepEqual([...decoder.push(Buffer.from('\n'))].map(String), ['abc']);
  assert.equal(decoder.pendingBytes, 0);
});

test('delimiter().encode() refuses a message that the delimiter would cut', () => {
  const malformed =
    'ERR_FRAME_MALFORMED: Cannot encode frame: the delimiter would end the message early';
  for (const [mark, message] of [
    ['\n', 'a\nb'],
    ['aa', 'xa'],
    ['abab', 'ab'],
    ['abab', 'xabab'],
  ] as const) {
    assert.equal(
      failure(() => delimiter(mark).encode(Buffer.from(message))),
      malformed,
      message,
    );
  }
  assert.equal(String(joined(delimiter('abab').encode(Buffer.from('aba')))), 'abaabab');
  assert.equal(
    failure(() => delimiter('\n', { maxFrameBytes: 1 }).encode(Buffer.from('ab'))),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 2 exceeds maxFrameBytes 1',
  );
});

test('delimiter() keeps its own copy of the delimiter', () => {
  const mark = Buffer.from(';');
  const codec = delimiter(mark);
  mark[0] = 0;
  assert.deepEqual([...codec.decoder().push(Buffer.from('a;'))].map(String), ['a']);
});

test('delimiter() refuses wrong arguments by name', () => {
  assert.throws(() => delimiter(''), { name: 'RangeError', message: /delimiter length 0/ });
  assert.throws(() => delimiter(Buffer.alloc(257)), { name: 'RangeError' });
  assert.throws(() => delimiter(wrongArgument(10)), { name: 'TypeError' });
  assert.throws(() => delimiter('\n', { final: wrongArgument('drop') }), {
    name: 'RangeError',
    message: /final drop/,
  });
});

test('delimiter() messages are views of the chunk, and copies with copy', () => {
  const chunk = Buffer.from('ab;');
  const [view] = delimiter(';').decoder().push(chunk);
  const [copy] = delimiter(';', { copy: true }).decoder().push(chunk);
  chunk.fill('!');
  assert.equal(String(view), '!!');
  assert.equal(String(copy), 'ab');
});

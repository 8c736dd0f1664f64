import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCuts, failure } from './check-codec.test.util.ts';
import { fixedSize } from './fixed-size.ts';
import { wrongArgument } from './wrong-argument.test.util.ts';

test('fixedSize() cuts the stream into messages of its size', () => {
  checkCuts(fixedSize({ size: 3 }), Buffer.from('abcdefghi'), { messages: ['abc', 'def', 'ghi'] });
  checkCuts(fixedSize({ size: 1 }), Buffer.from('ab'), { messages: ['a', 'b'] });
});

test('fixedSize() tells an end inside a message', () => {
  const error = 'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended after 1 of 3 bytes';
  checkCuts(fixedSize({ size: 3 }), Buffer.from('abcd'), { messages: ['abc'], error });
});

test('fixedSize().encode() takes messages of its size only, and returns them uncopied', () => {
  const codec = fixedSize({ size: 3 });
  const message = Buffer.from('abc');
  assert.equal(codec.encode(message), message);
  assert.equal(
    failure(() => codec.encode(Buffer.from('ab'))),
    'ERR_FRAME_MALFORMED: Cannot encode frame: length 2 is less than size 3',
  );
  assert.equal(
    failure(() => codec.encode(Buffer.from('abcd'))),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 4 exceeds size 3',
  );
});

test('fixedSize() refuses a size that is no positive integer', () => {
  for (const size of [0, -1, 1.5, Number.NaN, Infinity]) {
    assert.throws(() => fixedSize({ size }), { name: 'RangeError' });
  }
  assert.throws(() => fixedSize({ size: wrongArgument('3') }), { name: 'TypeError' });
});

test('fixedSize() messages are views of the chunk, and copies with copy', () => {
  const chunk = Buffer.from('ab');
  const [view] = fixedSize({ size: 2 }).decoder().push(chunk);
  const [copy] = fixedSize({ size: 2, copy: true }).decoder().push(chunk);
  chunk.fill('!');
  assert.equal(String(view), '!!');
  assert.equal(String(copy), 'ab');
});

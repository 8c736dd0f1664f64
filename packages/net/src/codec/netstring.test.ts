import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOutcome, checkCuts, failure, joined } from './check-codec.test.util.ts';
import { netstring } from './netstring.ts';

test('netstring() encodes and decodes the examples of its specification', () => {
  const codec = netstring();
  assert.equal(String(joined(codec.encode(Buffer.from('hello world!')))), '12:hello world!,');
  assert.equal(String(joined(codec.encode(Buffer.alloc(0)))), '0:,');
  checkCuts(
    codec,
    Buffer.from('12:hello world!,0:,1:,,'),
    asOutcome([Buffer.from('hello world!'), Buffer.alloc(0), Buffer.from(',')]),
  );
});

test('netstring().encode() does not copy a message above 1,024 bytes', () => {
  const large = Buffer.alloc(1025);
  assert.deepEqual(netstring().encode(large), [Buffer.from('1025:'), large, Buffer.from(',')]);
});

const malformed = 'ERR_FRAME_MALFORMED: Cannot decode frame:';
const noLength = `${malformed} a netstring starts with no decimal length and colon`;
const tooLarge = 'ERR_FRAME_TOO_LARGE: Cannot decode frame:';
const truncated = 'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended';

const bad: [stream: string, error: string][] = [
  [':,', noLength],
  ['-1:a,', noLength],
  [' 1:a,', noLength],
  ['1 :a,', noLength],
  ['1a:a,', noLength],
  ['01:a,', `${malformed} a netstring length has a leading zero`],
  ['00:,', `${malformed} a netstring length has a leading zero`],
  ['2:ab;', `${malformed} no comma after 2 bytes of netstring`],
  ['31:', `${tooLarge} length 31 exceeds maxFrameBytes 30`],
  ['99:', `${tooLarge} length 99 exceeds maxFrameBytes 30`],
  ['100', `${tooLarge} a frame exceeds maxFrameBytes 30`],
  ['9'.repeat(400), `${tooLarge} a frame exceeds maxFrameBytes 30`],
  ['3', `${truncated} 1 bytes into a header`],
  ['3:ab', `${truncated} after 4 of 6 bytes`],
  ['3:abc', `${truncated} after 5 of 6 bytes`],
];

for (const [stream, error] of bad) {
  test(`netstring() refuses ${stream.slice(0, 9)} after the message before it`, () => {
    const codec = netstring({ maxFrameBytes: 30 });
    checkCuts(codec, Buffer.from(`1:x,${stream}`), { messages: ['x'], error });
  });
}

test('netstring().encode() refuses a message above maxFrameBytes', () => {
  assert.equal(
    failure(() => netstring({ maxFrameBytes: 2 }).encode(Buffer.from('abc'))),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 3 exceeds maxFrameBytes 2',
  );
});

test('netstring() messages are views of the chunk, and copies with copy', () => {
  const chunk = Buffer.from('2:ab,');
  const [view] = netstring().decoder().push(chunk);
  const [copy] = netstring({ copy: true }).decoder().push(chunk);
  chunk.fill('!');
  assert.equal(String(view), '!!');
  assert.equal(String(copy), 'ab');
});

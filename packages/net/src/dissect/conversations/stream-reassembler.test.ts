import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Randomness } from '../mutate.test.util.ts';
import { type StreamPart, StreamReassembler } from './stream-reassembler.ts';

function joined(parts: readonly StreamPart[]): string {
  return parts
    .map((part) =>
      part.type === 'data' ? Buffer.from(part.bytes).toString('latin1') : `<${part.missing}>`,
    )
    .join('');
}

test('StreamReassembler.push() gives every byte once and in order, for any cut, order and repetition', () => {
  const random = new Randomness(7);
  for (let round = 0; round < 300; round++) {
    const start = round % 3 === 0 ? 0xffffff00 : random.below(2 ** 31);
    const bytes = Uint8Array.from({ length: 1 + random.below(600) }, () => random.below(256));
    const cuts: { at: number; length: number }[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(bytes.length - at, 1 + random.below(40));
      cuts.push({ at, length });
      at += length;
    }
    // Some overlap what comes next, some come twice, all in any order.
    const sent = cuts.flatMap((cut) =>
      random.below(4) === 0 ? [cut, { at: cut.at, length: cut.length + random.below(20) }] : [cut],
    );
    for (let index = sent.length - 1; index > 0; index--) {
      const other = random.below(index + 1);
      [sent[index], sent[other]] = [sent[other]!, sent[index]!];
    }
    const stream = new StreamReassembler();
    stream.start(start >>> 0);
    const parts = sent.flatMap(({ at, length }) =>
      stream.push((start + at) >>> 0, bytes.subarray(at, at + length)),
    );
    assert.equal(joined(parts), Buffer.from(bytes).toString('latin1'), `round ${round}`);
    assert.equal(stream.bufferedBytes, 0);
  }
});

test('StreamReassembler gives up a hole when more than maxBufferedBytes wait behind it', () => {
  const stream = new StreamReassembler({ maxBufferedBytes: 1000 });
  stream.start(0);
  const parts: StreamPart[] = [];
  for (let index = 1; index <= 20; index++)
    parts.push(...stream.push(index * 100, new Uint8Array(100)));
  assert.deepEqual(parts[0], { type: 'gap', missing: 100 });
  assert.ok(stream.bufferedBytes <= 1000);
  const bytes = [...parts, ...stream.end()].reduce(
    (sum, part) => sum + (part.type === 'data' ? part.bytes.length : 0),
    0,
  );
  assert.equal(bytes, 2000);
});

test('StreamReassembler.end() gives what still waits, with the gaps before it', () => {
  const stream = new StreamReassembler();
  stream.start(10);
  stream.push(20, Uint8Array.of(65));
  stream.push(30, Uint8Array.of(66));
  assert.equal(joined(stream.end()), '<10>A<9>B');
});

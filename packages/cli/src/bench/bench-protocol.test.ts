import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readDatagramRequest, readStreamRequest, streamPreamble } from './bench-protocol.ts';

test('readStreamRequest() reads what streamPreamble() writes, and nothing else', () => {
  const written = (mode: 'send' | 'receive'): string => streamPreamble(mode, 1000)?.trimEnd() ?? '';
  assert.deepEqual(readStreamRequest(written('send')), { kind: 'discard' });
  assert.deepEqual(readStreamRequest(written('receive')), { kind: 'source', size: 1000 });
  assert.equal(streamPreamble('echo', 1000), undefined);
  for (const wrong of [
    '',
    'sockeye-bench',
    'sockeye-bench source 0',
    'sockeye-bench source 99999999',
  ]) {
    assert.equal(readStreamRequest(wrong), undefined, wrong);
  }
});

test('readDatagramRequest() takes its four lines only', () => {
  const cookie = '0123456789abcdef';
  const read = (text: string): unknown => readDatagramRequest(Buffer.from(text));
  assert.deepEqual(read('sockeye-bench hello'), { kind: 'hello' });
  assert.deepEqual(read(`sockeye-bench discard ${cookie}`), { kind: 'discard', cookie });
  assert.deepEqual(read(`sockeye-bench report ${cookie}`), { kind: 'report', cookie });
  assert.deepEqual(read(`sockeye-bench source 64 ${cookie}`), { kind: 'source', cookie, size: 64 });
  assert.equal(read('sockeye-bench'), undefined);
  assert.equal(read('sockeye-bench hello '.padEnd(100)), undefined);
});

test('readDatagramRequest() never throws, whatever comes', () => {
  const start = fc.constantFrom('', 'sockeye-', 'sockeye-bench ', 'sockeye-bench source ');
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (text, rest) => {
      readDatagramRequest(Buffer.concat([Buffer.from(text), rest]));
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.mjs';

test('judge() fails above 1.5 times the recorded ratio', () => {
  assert.deepEqual(judge(0.6, 0.91), {
    ok: false,
    text: "0.91 of Node's CPU per message, limit 0.90",
  });
});

test('judge() passes up to 1.5 times the recorded ratio', () => {
  assert.equal(judge(0.6, 0.89).ok, true);
});

test('judge() fails where there is no figure', () => {
  assert.deepEqual(judge(0.6, undefined), {
    ok: false,
    text: 'no figure; 0.60 of Node was recorded',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

const RIGHT: readonly [string, number][] = [
  ['10s', 10_000],
  ['500ms', 500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['2', 2000],
  ['0.5', 500],
  ['0', 0],
  ['none', Number.POSITIVE_INFINITY],
];

for (const [text, ms] of RIGHT) {
  test(`parseDuration() reads ${text}`, () => assert.equal(parseDuration(text), ms));
}

for (const text of ['', '-1', '1d', 's', '1 s', '1e3', 'NaN', '.5', '0x10']) {
  test(`parseDuration() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseDuration(text),
      /Expected a duration: 10s, 500ms, 5m, none, or 10 for seconds/,
    );
  });
}

test('formatDuration() writes what parseDuration() reads', () => {
  for (const ms of [1, 999, 1000, 1500, 90_000, Number.POSITIVE_INFINITY]) {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
});

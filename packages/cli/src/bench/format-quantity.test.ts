import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatCounted,
  formatByteRate,
  formatCount,
  formatLatency,
  formatShare,
} from './format-quantity.ts';

const RATES: readonly [number, string][] = [
  [0, '0.00 B/s'],
  [999.4, '999 B/s'],
  [999.6, '1.00 kB/s'],
  [12_345, '12.3 kB/s'],
  [999_600, '1.00 MB/s'],
  [1.255e9, '1.25 GB/s'],
  [5e15, '5,000 TB/s'],
];

for (const [value, text] of RATES) {
  test(`formatByteRate() of ${value} is ${text}`, () => assert.equal(formatByteRate(value), text));
}

const LATENCIES: readonly [number, string][] = [
  [0, '0 ns'],
  [850, '850 ns'],
  [999.6, '1.00 µs'],
  [12_345, '12.3 µs'],
  [999_600, '1.00 ms'],
  [2e9, '2.00 s'],
];

for (const [ns, text] of LATENCIES) {
  test(`formatLatency() of ${ns} ns is ${text}`, () => assert.equal(formatLatency(ns), text));
}

test('formatShare() keeps two digits that count; formatCounted() knows one from many', () => {
  assert.deepEqual([0, 0.0000123, 0.034, 1].map(formatShare), ['0%', '0.0012%', '3.4%', '100%']);
  assert.deepEqual(
    [formatCounted(1, 'thing'), formatCounted(2000, 'thing')],
    ['1 thing', '2,000 things'],
  );
});

for (const count of [0, 999, 1_000, 123_456, 1_234_567_890, 2 ** 44]) {
  test(`formatCount() of ${count} has the commas of Intl`, () =>
    assert.equal(formatCount(count), count.toLocaleString('en-US')));
}

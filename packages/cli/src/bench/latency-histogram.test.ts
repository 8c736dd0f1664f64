import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencyHistogram } from './latency-histogram.ts';

// Spread over all magnitudes, as latencies are.
const latency = fc
  .tuple(fc.nat({ max: 42 }), fc.double({ min: 1, max: 1.99, noNaN: true }))
  .map(([exponent, factor]) => Math.floor(2 ** exponent * factor));

test('LatencyHistogram.percentileNs() is the exact percentile or at most 1/128 above it', () => {
  fc.assert(
    fc.property(
      fc.array(latency, { minLength: 1, maxLength: 300 }),
      fc.nat({ max: 1000 }),
      (values, perMille) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        const rank = Math.max(Math.ceil((perMille * values.length) / 1000), 1);
        const exact = sorted[rank - 1] ?? 0;
        const found = histogram.percentileNs(perMille / 10);
        assert.ok(found >= exact, `${found} < ${exact}`);
        assert.ok(found - exact <= exact / 128, `${found} is far from ${exact}`);
        assert.equal(histogram.minNs, sorted[0]);
        assert.equal(histogram.maxNs, sorted.at(-1));
        assert.equal(histogram.count, values.length);
      },
    ),
    { numRuns: 2000 },
  );
});

test('LatencyHistogram keeps every power of two and its neighbours in order', () => {
  const histogram = new LatencyHistogram();
  const values: number[] = [];
  for (let power = 1; power <= 42; power++) values.push(2 ** power - 1, 2 ** power, 2 ** power + 1);
  for (const value of values) histogram.record(value);
  values.forEach((value, i) => {
    const found = histogram.percentileNs(((i + 1) / values.length) * 100);
    assert.ok(found >= value && found <= value * (1 + 1 / 128), `${value}: ${found}`);
  });
});

test('LatencyHistogram counts what is out of its range at its ends, and is 0 while empty', () => {
  const histogram = new LatencyHistogram();
  assert.deepEqual([histogram.percentileNs(50), histogram.meanNs, histogram.minNs], [0, 0, 0]);
  histogram.record(-5);
  histogram.record(1e30);
  assert.deepEqual([histogram.minNs, histogram.maxNs, histogram.count], [0, 2 ** 43 - 1, 2]);
});

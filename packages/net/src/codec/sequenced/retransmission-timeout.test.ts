import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetransmissionTimeout } from './retransmission-timeout.ts';

test('RetransmissionTimeout follows RFC 6298, section 2', () => {
  const timeout = new RetransmissionTimeout({ minRtoMs: 1 });
  assert.equal(timeout.rtoMs, 1000);
  // 2.2: SRTT 100, RTTVAR 50, RTO 100 + 4 · 50.
  timeout.sample(100);
  assert.equal(timeout.rtoMs, 300);
  // 2.3: RTTVAR 3/4 · 50 + 1/4 · |100 − 200| = 62.5, SRTT 7/8 · 100 + 1/8 · 200 = 112.5.
  timeout.sample(200);
  assert.equal(timeout.smoothedMs, 112.5);
  assert.equal(timeout.rtoMs, 362.5);
});

test('RetransmissionTimeout never waits less than the clock granularity above the round trip', () => {
  const timeout = new RetransmissionTimeout({ minRtoMs: 0.1 });
  for (let count = 0; count < 100; count++) timeout.sample(10);
  assert.equal(timeout.rtoMs, 11);
});

test('RetransmissionTimeout.backOff() doubles up to the bound, and a sample ends it', () => {
  const timeout = new RetransmissionTimeout();
  const seen = Array.from({ length: 7 }, () => {
    timeout.backOff();
    return timeout.rtoMs;
  });
  assert.deepEqual(seen, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  timeout.sample(10);
  assert.equal(timeout.rtoMs, 1000);
});

test('RetransmissionTimeout refuses bounds that are none', () => {
  for (const options of [
    { minRtoMs: 0 },
    { minRtoMs: 2, maxRtoMs: 1 },
    { maxRtoMs: Infinity },
    { minRtoMs: Number.NaN },
  ]) {
    assert.throws(() => new RetransmissionTimeout(options), { name: 'RangeError' });
  }
});

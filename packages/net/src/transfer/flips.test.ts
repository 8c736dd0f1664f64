import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFlips } from './flip-runs.test.util.ts';

test('no bit that flips on the wire, below TLS or the frames, gives a wrong file', async () => {
  // fuzz/transfer-flips.mjs runs the same a thousand times.
  const report = await runFlips({ rounds: 24, seed: 20_260_102 });
  assert.deepEqual(report.failures, []);
  assert.ok(report.ended >= 6, `${report.ended} transfers ended with an error`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runKills } from './kill-runs.test.util.ts';

test('sendFiles() and receiveFiles() survive kill -9 of either side: nothing torn, the next run completes', async () => {
  // fuzz/transfer-kills.mjs runs the same 200 times.
  const report = await runKills({ rounds: 10, seed: 20_260_101 });
  assert.deepEqual(report.failures, []);
  assert.ok(report.midway >= 3, `${report.midway} kills came midway`);
});

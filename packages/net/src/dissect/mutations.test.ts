import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMutations } from './mutation-run.test.util.ts';

// fuzz/dissect-mutations.mjs runs a million; here enough to notice.
test('20,000 mutated packets cause no throw and none takes 50 ms', async (context) => {
  const report = await runMutations(20_000, 1);
  context.diagnostic(`slowest ${report.slowestMs.toFixed(1)} ms, ${report.stopped} stopped early`);
  assert.ok(report.stopped > 1000);
  assert.ok(report.slowestMs < 50, report.slowestHex);
});

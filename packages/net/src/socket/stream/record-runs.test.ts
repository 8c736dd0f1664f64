import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRecords } from './record-runs.test.util.ts';

test('no record that is changed, cut, doubled or invented on the wire gives a wrong byte or end', async () => {
  // fuzz/tls-records.mjs runs the same thousands of times.
  const report = await runRecords({ runs: 60, seed: 20_260_103, recordsPerKey: 3 });
  assert.deepEqual(report.failures, []);
  assert.ok(report.damaged >= 30, `${report.damaged} runs were damaged`);
});

test('keys change as often as they have to, in both directions, and nothing is lost', async () => {
  const report = await runRecords({
    runs: 10,
    seed: 20_260_104,
    recordsPerKey: 1,
    only: 'nothing',
  });
  assert.deepEqual(report, { runs: 10, damaged: 0, whole: 10, failures: [] });
});

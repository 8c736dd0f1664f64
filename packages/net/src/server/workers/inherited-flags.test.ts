import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritedFlags } from './inherited-flags.ts';

test('inheritedFlags() keeps loaders and drops what says what to run', () => {
  const kept = ['--import', 'tsx', '--enable-source-maps', '--test-concurrency=4'];
  assert.deepEqual(inheritedFlags(kept), kept);
  assert.deepEqual(inheritedFlags(['--input-type=module', ...kept, '-e', 'code']), kept);
  assert.deepEqual(inheritedFlags(['--input-type', 'module', '--eval', 'code', ...kept]), kept);
  assert.deepEqual(inheritedFlags(['--test', ...kept]), kept);
});

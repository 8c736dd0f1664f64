import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritedFlags } from './inherited-flags.ts';

test('inheritedFlags() keeps what loads modules', () => {
  const kept = [
    '--import',
    'tsx',
    '--require=./x.cjs',
    '-C',
    'development',
    '--enable-source-maps',
  ];
  assert.deepEqual(inheritedFlags(kept), kept);
});

test('inheritedFlags() drops what says what to run, and what a thread refuses', () => {
  const dropped = [
    '--input-type',
    'module',
    '--eval',
    'code',
    '--test',
    '--expose-gc',
    '--max-old-space-size=200',
  ];
  assert.deepEqual(inheritedFlags([...dropped, '--import', 'tsx']), ['--import', 'tsx']);
});

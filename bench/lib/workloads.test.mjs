import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything, GROUPS, selectWorkloads } from './workloads.mjs';

test('selectWorkloads() takes names, sizes of any kind and groups, each once', () => {
  const names = selectWorkloads('idle,connections,tcp-echo-64x64,tcp-echo-4kx200').map(
    ({ name }) => name,
  );
  assert.deepEqual(names, ['idle', ...GROUPS.connections, 'tcp-echo-4kx200']);
});

test('selectWorkloads() takes the named ones without a list', () => {
  assert.deepEqual(
    selectWorkloads().map(({ name }) => name),
    GROUPS.named,
  );
});

test('selectWorkloads() knows everything, and how many serve a port', () => {
  const workloads = selectWorkloads('everything');
  assert.deepEqual(
    workloads.map(({ name }) => name),
    everything,
  );
  assert.equal(workloads.find(({ name }) => name === 'tcp-echo-64x512p8').spread, 8);
});

test('selectWorkloads() refuses what it does not know', () => {
  assert.throws(() => selectWorkloads('tcp-ecko'), /Unknown workload tcp-ecko; there are: .*idle/);
});

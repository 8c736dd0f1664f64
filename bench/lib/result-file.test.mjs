import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readResults, ResultFile } from './result-file.mjs';

const machine = { cpu: 'one', cpus: 2 };
const versions = { node: 'v20', c: 'gcc 12' };

function temporaryFile(t) {
  const directory = mkdtempSync(join(tmpdir(), 'sockeye-results-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'new', 'results.json');
}

function workload(name, cpuUs) {
  return { name, figures: [{ peer: 'node', cpuUs, rounds: [{ cpuUs, rate: 1 }] }] };
}

test('a result file collects the workloads of several runs in their own order', (t) => {
  const file = temporaryFile(t);
  new ResultFile(file, { machine, versions: { node: 'v20' } }).add(workload('udp-echo', 3));
  const second = new ResultFile(file, { machine, versions: { c: 'gcc 12' } });
  second.add(workload('idle', 1));
  second.add(workload('tcp-ping-pong', 2));
  const { workloads, ...circumstances } = readResults(file);
  assert.deepEqual(
    workloads.map(({ name }) => name),
    ['tcp-ping-pong', 'udp-echo', 'idle'],
  );
  assert.deepEqual(circumstances, { machine, versions });
});

test('a workload measured again replaces its figures', (t) => {
  const file = temporaryFile(t);
  new ResultFile(file, { machine, versions }).add(workload('idle', 1));
  new ResultFile(file, { machine, versions }).add(workload('idle', 2));
  assert.deepEqual(readResults(file).workloads, [workload('idle', 2)]);
});

test('a result file refuses another machine and another version of a peer', (t) => {
  const file = temporaryFile(t);
  new ResultFile(file, { machine, versions }).add(workload('idle', 1));
  const before = readFileSync(file, 'utf8');
  assert.throws(
    () => new ResultFile(file, { machine: { ...machine, cpus: 4 }, versions }),
    /cpus was 2, is 4.*name another file/,
  );
  assert.throws(
    () => new ResultFile(file, { machine, versions: { node: 'v22' } }),
    /node was v20, is v22/,
  );
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('a result file has each round on one line', (t) => {
  const file = temporaryFile(t);
  new ResultFile(file, { machine, versions }).add(workload('idle', 1));
  assert.match(readFileSync(file, 'utf8'), /^ +\{ "cpuUs": 1, "rate": 1 \}$/m);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from '../lib/summarize.mjs';
import { allCharts } from './all-charts.mjs';
import { stamp } from './draw.mjs';
import { fillPage } from './fill-page.mjs';
import { judgeGoals } from './goals.mjs';
import { pageParts } from './page-parts.mjs';

const LABELS = { c: 'C', node: 'Node', sockeye: 'Sockeye', 'sockeye-serve': 'Sockeye serve' };
const HOW = { when: '2026-01-02T03:04:05Z', source: 'abc', per: 'message', failures: [] };

function workload(name, costs, extra = {}) {
  const rounds = Object.fromEntries(
    Object.entries(costs).map(([peer, cost]) => [peer, [{ ...cost, ...extra }]]),
  );
  const how = { rounds: 1, seconds: 1, warmup: 1, pin: true };
  return { name, title: name, ...HOW, how, figures: summarize(rounds, LABELS) };
}

function work(name, node, sockeye) {
  const extra = { rate: 1000, busy: 1, p50Us: 10, p99Us: 20, peakBytes: 3 << 20 };
  return workload(
    name,
    { c: { cpuUs: 1 }, node: { cpuUs: node }, sockeye: { cpuUs: sockeye } },
    extra,
  );
}

function results(sockeye = 1.25) {
  return {
    machine: { cpu: 'C', cpus: 2, memoryBytes: 2 ** 30, kernel: 'K', architecture: 'x64' },
    versions: { node: 'v20', 'node-cork': 'v20', c: 'gcc' },
    workloads: [
      work('tcp-echo-64x64', 4, sockeye),
      work('tcp-echo-1mx16', 400, 500),
      work('tcp-echo-64x512p2', 4, 3),
      workload('idle', {
        node: { bytesPerConnection: 1000 },
        sockeye: { bytesPerConnection: 400 },
      }),
    ],
  };
}

const EMPTY_PAGE = Object.keys(pageParts)
  .map((name) => `Before ${name}.\n<!-- generated: ${name} -->\n<!-- end -->\nAfter.`)
  .join('\n');

test('fillPage() puts each figure into its table and keeps what is around', () => {
  const page = fillPage(EMPTY_PAGE, results());
  assert.match(page, /^Before goals\.$/m);
  assert.match(page, /^\| tcp-echo-64x64 \| 0\.25 \| 1\.00 \| 0\.31 \|$/m);
  assert.match(page, /^\| size; CPU µs \| 1 MiB \|$/m);
  assert.match(page, /^\| Sockeye \| 500\.00 \|$/m);
  assert.match(page, /^\| Sockeye \| 400 \| 0\.40 \|$/m);
  assert.match(page, /\*\*Provisional/);
});

test('fillPage() of a filled page is the same page, and another with other figures', () => {
  const page = fillPage(EMPTY_PAGE, results());
  assert.equal(fillPage(page, results()), page);
  assert.notEqual(fillPage(page, results(1.26)), page);
});

test('fillPage() refuses a page that lacks a part or asks for an unknown one', () => {
  assert.throws(() => fillPage('', results()), /the page has no <!-- generated: machine -->/);
  const unknown = `${EMPTY_PAGE}\n<!-- generated: nonsense -->\n<!-- end -->`;
  assert.throws(() => fillPage(unknown, results()), /nonsense: no such part/);
});

test('judgeGoals() wants both ratios and every peer named', () => {
  const verdicts = (sockeye) =>
    judgeGoals(results(sockeye))
      .filter(({ best }) => best !== undefined)
      .map(({ title, reached }) => [title, reached]);
  assert.deepEqual(verdicts(1.25), [
    ['tcp-echo-64x64', true],
    ['idle', true],
  ]);
  assert.deepEqual(verdicts(1.5)[0], ['tcp-echo-64x64', false]);
});

test('allCharts() draws in two themes, stamped with what they show', () => {
  const charts = allCharts(results());
  assert.ok(charts.some(({ file }) => file === 'ratio-dark.svg'));
  const stamps = new Set(charts.map(({ spec }) => stamp(spec)));
  assert.equal(stamps.size, charts.length);
  const [old] = charts;
  const [changed] = allCharts(results(1.26));
  assert.equal(old.file, changed.file);
  assert.notEqual(stamp(old.spec), stamp(changed.spec));
});

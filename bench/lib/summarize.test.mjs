import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from './summarize.mjs';

function figuresOf(rounds) {
  return Object.fromEntries(summarize(rounds).map((figures) => [figures.peer, figures]));
}

test('summarize() takes the ratio within each round and then the median', () => {
  // The machine was twice as slow in the second round: the medians alone would give 10 / 15.
  const { sockeye } = figuresOf({
    node: [{ cpuUs: 10 }, { cpuUs: 20 }, { cpuUs: 10 }],
    sockeye: [{ cpuUs: 5 }, { cpuUs: 10 }, { cpuUs: 5 }],
  });
  assert.equal(sockeye.toNode, 0.5);
  assert.equal(sockeye.toC, undefined);
});

test('summarize() leaves out rounds that one side does not have', () => {
  const { sockeye } = figuresOf({
    node: [{ cpuUs: 10 }, null, { cpuUs: 40 }],
    sockeye: [{ cpuUs: 5 }, { cpuUs: 5 }, null],
  });
  assert.equal(sockeye.toNode, 0.5);
  assert.equal(sockeye.cpuUs, 5);
});

test('summarize() gives half the distance of the extremes as the spread', () => {
  const { node } = figuresOf({ node: [{ cpuUs: 9 }, { cpuUs: 10 }, { cpuUs: 13 }] });
  assert.equal(node.cpuUs, 10);
  assert.equal(node.spread, 0.2);
});

test('summarize() compares memory where there is no CPU time', () => {
  const { sockeye } = figuresOf({
    node: [{ bytesPerConnection: 4000 }],
    sockeye: [{ bytesPerConnection: 1000 }],
  });
  assert.equal(sockeye.toNode, 0.25);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WantedBlocks } from './wanted-blocks.ts';

test('WantedBlocks gives each block away once, and takes it again afterwards', () => {
  const wanted = new WantedBlocks(20);
  assert.equal(wanted.take(), undefined);
  for (const index of [19, 0, 7, 8]) assert.equal(wanted.add(index), true);
  assert.equal(wanted.add(8), false);
  assert.deepEqual([wanted.take(), wanted.take()], [0, 7]);
  assert.equal(wanted.add(0), true);
  assert.deepEqual([wanted.take(), wanted.take(), wanted.take()].toSorted(), [0, 19, 8]);
  assert.equal(wanted.take(), undefined);
});

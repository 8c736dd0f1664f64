import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SequenceCounter, SequenceTracker } from './sequence-tracker.ts';
import { addSerial } from './serial-number.ts';

const observe = (tracker: SequenceTracker, sequences: number[]) =>
  sequences.map((sequence) => tracker.observe(sequence).type);

test('SequenceTracker tells loss, lateness and duplication apart', () => {
  const tracker = new SequenceTracker({ window: 4 });
  assert.deepEqual(observe(tracker, [5, 6, 9, 7, 9, 6, 4]), [
    'next',
    'next',
    'gap',
    'reordered',
    'duplicate',
    'duplicate',
    'stale',
  ]);
  assert.deepEqual(tracker.counts, {
    received: 4,
    missing: 1,
    lost: 0,
    duplicates: 2,
    reordered: 1,
    stale: 1,
  });
  assert.deepEqual(observe(tracker, [10, 11]), ['next', 'next']);
  assert.equal(tracker.counts.missing, 1);
  assert.deepEqual(observe(tracker, [12, 8]), ['next', 'stale']);
  assert.deepEqual(
    { missing: tracker.counts.missing, lost: tracker.counts.lost },
    { missing: 0, lost: 1 },
  );
});

test('SequenceTracker counts across the wrap', () => {
  const tracker = new SequenceTracker();
  assert.deepEqual(observe(tracker, [0xffff_fffe, 1, 0xffff_ffff, 0, 0, 2]), [
    'next',
    'gap',
    'reordered',
    'reordered',
    'duplicate',
    'next',
  ]);
});

test('SequenceTracker holds at most a window of missing numbers, however far a number jumps', () => {
  const tracker = new SequenceTracker({ window: 16 });
  assert.deepEqual(tracker.observe(0), { type: 'next' });
  assert.deepEqual(tracker.observe(2 ** 31 - 1), { type: 'gap', missing: 2 ** 31 - 2 });
  assert.deepEqual(tracker.counts, {
    received: 2,
    missing: 15,
    lost: 2 ** 31 - 2 - 15,
    duplicates: 0,
    reordered: 0,
    stale: 0,
  });
});

test('SequenceTracker accounts for every number sent, as a property', () => {
  const network = fc.array(
    fc.record({ copies: fc.integer({ min: 0, max: 2 }), delay: fc.integer({ min: 0, max: 20 }) }),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(network, fc.integer({ min: 0, max: 0xffff_ffff }), (fates, first) => {
      const arrivals = fates
        .flatMap(({ copies, delay }, index) =>
          Array.from({ length: copies }, (_, copy) => ({ index, at: index + delay * (copy + 1) })),
        )
        .toSorted((a, b) => a.at - b.at);
      const tracker = new SequenceTracker();
      // The start of the stream is always seen, and so is its end.
      const order = [-1, ...arrivals.map(({ index }) => index), fates.length];
      for (const index of order) tracker.observe(addSerial(first, index));
      const { received, missing, lost, duplicates, stale } = tracker.counts;
      const distinct = new Set(order).size;
      assert.deepEqual(
        { received, absent: missing + lost, duplicates, stale },
        {
          received: distinct,
          absent: fates.length + 2 - distinct,
          duplicates: order.length - distinct,
          stale: 0,
        },
      );
    }),
  );
});

test('SequenceCounter counts up and wraps', () => {
  const counter = new SequenceCounter(0xffff_ffff);
  assert.deepEqual(
    [counter.next(), counter.next(), new SequenceCounter().next()],
    [0xffff_ffff, 0, 0],
  );
});

test('SequenceTracker refuses a window that is none', () => {
  for (const window of [0, 1.5, 65_537]) {
    assert.throws(() => new SequenceTracker({ window }), { name: 'RangeError' });
  }
});

test('SequenceTracker gives up what is missing when a number jumps half the range', () => {
  const tracker = new SequenceTracker({ window: 16 });
  observe(tracker, [0, 2, 2 ** 31 + 1, 2 ** 31 + 1 + 2 ** 31 - 1]);
  assert.equal(tracker.counts.missing, 15);
  assert.equal(tracker.counts.lost, 1 + 2 ** 31 - 2 + 2 ** 31 - 2 - 15);
});

test('SequenceTracker cannot tell whether a number before the first is late or repeated', () => {
  assert.deepEqual(observe(new SequenceTracker(), [5, 4, 6, 5]), [
    'next',
    'stale',
    'next',
    'duplicate',
  ]);
});

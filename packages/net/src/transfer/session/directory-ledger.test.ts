import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../protocol/message.ts';
import { DirectoryLedger } from './directory-ledger.ts';

function directory(id: number, path: string[]): Entry {
  const times = { mtimeSeconds: -1.5e9 + id, mtimeNanoseconds: 999_999_999 };
  return { id, kind: 'directory', path, size: 0, mode: 0o751, ...times, sparse: false };
}

test('DirectoryLedger gives back what it got, by id or the last first', () => {
  const ledger = new DirectoryLedger();
  const entries = [
    directory(3, ['a']),
    directory(7, ['a', 'a name with spaces, "quotes", and \u5b57']),
    directory(9, ['a', 'b', 'c']),
    directory(4_000_000_000, ['é'.repeat(127)]),
  ];
  for (const entry of entries) ledger.add(entry);
  assert.equal(ledger.size, 4);
  for (const id of [0, 4, 8, 10, 4_000_000_001]) assert.equal(ledger.take(id), undefined);
  assert.deepEqual(ledger.take(7), entries[1]);
  assert.equal(ledger.take(7), undefined);
  assert.equal(ledger.size, 3);
  assert.deepEqual([...ledger.takeAll(2)], [[entries[3], entries[2]], [entries[0]]]);
  assert.deepEqual([ledger.size, [...ledger.takeAll(2)]], [0, []]);
});

test('DirectoryLedger keeps 100,000 directories in less than 10 MB', () => {
  const before = process.memoryUsage();
  const ledger = new DirectoryLedger();
  const pathOf = (i: number) => [`group-${Math.floor(i / 1000)}`, `directory-${i}`];
  for (let i = 0; i < 100_000; i++) ledger.add(directory(2 * i, pathOf(i)));
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers - before.arrayBuffers < 10e6, `${arrayBuffers - before.arrayBuffers}`);
  let next = 100_000;
  for (const entries of ledger.takeAll(256)) {
    for (const entry of entries) assert.deepEqual(entry, directory(2 * --next, pathOf(next)));
  }
  assert.equal(next, 0);
});

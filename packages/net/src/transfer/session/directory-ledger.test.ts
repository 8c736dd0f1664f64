import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectoryLedger } from './directory-ledger.ts';

const directory = (id: number, ...path: string[]) => ({
  id,
  path,
  kind: 'directory' as const,
  size: 0,
  sparse: false,
  mode: 0o750,
  mtimeSeconds: -5,
  mtimeNanoseconds: 999_999_999,
});

test('DirectoryLedger gives each directory back once, as it was, the last first', () => {
  const ledger = new DirectoryLedger();
  const all = [directory(0, '目录'), directory(3, '目录', 'a "b"'), directory(7, '目录', 'c')];
  for (const entry of all) ledger.add(entry);
  assert.equal(ledger.size, 3);
  assert.deepEqual(ledger.take(3), all[1]);
  assert.equal(ledger.take(3), undefined);
  assert.deepEqual([...ledger.takeAll()], [all[2], all[0]]);
  assert.equal(ledger.size, 0);
});

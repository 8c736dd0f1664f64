import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rejection } from '../testing/index.ts';
import type { TransferReceipt } from './receipt.ts';
import { MIB, transfer, TwoDirectories } from './transfers.test.util.ts';
import { verifyReceipt } from './verify-receipt.ts';

test('verifyReceipt() finds everything that is not as it was transferred', async () => {
  using place = new TwoDirectories();
  for (const name of ['same', 'longer', 'changed', 'gone', 'linked']) {
    place.write(`tree/${name}`, MIB + 5);
  }
  mkdirSync(join(place.source, 'tree/directory'));
  const { receipt, receiverReceipt } = await transfer([join(place.source, 'tree')], place.inbox);
  const stored = JSON.parse(JSON.stringify(receiverReceipt)) as TransferReceipt;
  assert.equal((await verifyReceipt(stored, place.inbox)).ok, true);
  assert.equal((await verifyReceipt(receipt, place.source)).ok, true);
  const at = (name: string) => join(place.inbox, 'tree', name);
  appendFileSync(at('longer'), 'x');
  writeFileSync(at('changed'), Buffer.alloc(MIB + 5));
  rmSync(at('gone'));
  rmSync(at('linked'));
  symlinkSync(join(place.source, 'tree/linked'), at('linked'));
  const { ok, entries } = await verifyReceipt(stored, place.inbox);
  assert.equal(ok, false);
  const found = Object.fromEntries(entries.map(({ path, state }) => [path.at(-1), state]));
  assert.deepEqual(found, {
    tree: 'same',
    directory: 'same',
    same: 'same',
    longer: 'different',
    changed: 'different',
    gone: 'missing',
    linked: 'different',
  });
});

test('verifyReceipt() counts a file that was not transferred as unverified', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  writeFileSync(join(place.inbox, 'file'), 'other');
  const { receipt } = await transfer([path], place.inbox);
  const { ok, entries } = await verifyReceipt(receipt, place.inbox);
  assert.equal(ok, false);
  assert.equal(entries[0]?.state, 'unverified');
});

test('verifyReceipt() throws for what is no receipt, and never leaves the directory', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const { receipt } = await transfer([path], place.inbox);
  const [entry] = receipt.entries;
  const forged = { ...receipt, entries: [{ ...entry, path: ['..', 'source', 'file'] }] };
  const unknown = { ...receipt, hash: 'md5' };
  for (const wrong of [
    null,
    7,
    {},
    { ...receipt, version: 2 },
    { ...receipt, entries: [7] },
    forged,
  ]) {
    const error = await rejection(verifyReceipt(wrong as TransferReceipt, place.inbox));
    assert.ok(error instanceof TypeError, `${JSON.stringify(wrong)}: ${String(error)}`);
  }
  assert.equal(
    (await rejection(verifyReceipt(unknown, place.inbox))).code,
    'ERR_TRANSFER_UNSUPPORTED',
  );
});

test('verifyReceipt() takes nothing but a file for an empty one, nor a transfer that left out some', async () => {
  using place = new TwoDirectories();
  const paths = ['pipe', 'directory', 'file'].map((name) => place.write(name, ''));
  const { receipt } = await transfer(paths, place.inbox);
  for (const name of ['pipe', 'directory']) rmSync(join(place.inbox, name));
  execFileSync('mkfifo', [join(place.inbox, 'pipe')]);
  mkdirSync(join(place.inbox, 'directory'));
  const { entries } = await verifyReceipt(receipt, place.inbox);
  const states = entries.map(({ path, state }) => `${path.join('/')} ${state}`);
  assert.deepEqual(states, ['pipe different', 'directory different', 'file same']);
  const partial = { ...receipt, complete: false };
  assert.equal((await verifyReceipt(receipt, place.source)).ok, true);
  assert.equal((await verifyReceipt(partial, place.source)).ok, false);
});

import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../command.test.util.ts';
import { History } from './history.ts';

test('History keeps the lines of several sessions, newest first, for its owner only', (t) => {
  const file = join(temporaryDirectory(t), 'state/history');
  const first = new History(file);
  const second = new History(file);
  assert.deepEqual(first.load(), []);
  for (const line of ['one', 'one', '', ' secret', 'two']) first.add(line);
  first.save();
  second.add('three');
  second.save();
  assert.deepEqual(new History(file).load(), ['three', 'two', 'one']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('History keeps the newest 1,000 lines', (t) => {
  const file = join(temporaryDirectory(t), 'history');
  const history = new History(file);
  for (let i = 0; i < 1200; i++) history.add(`line ${i}`);
  history.save();
  const lines = new History(file).load();
  assert.equal(lines.length, 1000);
  assert.deepEqual([lines[0], lines.at(-1)], ['line 1199', 'line 200']);
});

test('History that cannot be written loses its lines and nothing else', (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  const history = new History(join(directory, 'file/history'));
  history.add('line');
  history.save();
  assert.deepEqual(history.load(), []);
});

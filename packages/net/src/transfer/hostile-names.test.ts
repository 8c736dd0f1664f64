import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { HostileSender, plainEntry } from './hostile-sender.test.util.ts';
import { encodeMessage } from './protocol/encode-message.ts';
import { nameFault } from './protocol/check-name.ts';
import { receiveFiles } from './receive-files.ts';
import type { TransferSink } from './sink.ts';
import { LOOPBACK, TwoDirectories } from './transfers.test.util.ts';

const BAD_PARTS = [
  '',
  '.',
  '..',
  '/',
  '\\',
  '\0',
  '\n',
  '\r',
  '\t',
  '\x1b[31m',
  '\x7f',
  '\u0085',
  '\u009b',
  '\u202e',
  '\u202a',
  '\u2066',
  '\u200f',
  '\u061c',
  '\u2028',
  'e\u0301',
  '\u1100\u1161',
  '\u212b',
  '-rf',
  '--',
  '../../etc/passwd',
  '/etc/passwd',
  '..\\..\\windows',
  'a/../../b',
  './x',
  'x/',
  '\u{2f800}',
  'a'.repeat(256),
  '界'.repeat(86),
];

/** Paths none of which may be taken: each bad part alone, above, below and inside others. */
function hostilePaths(): string[][] {
  const paths: string[][] = [];
  for (const bad of BAD_PARTS) {
    paths.push(
      [bad],
      [bad, 'file'],
      ['directory', bad],
      ['directory', bad, 'file'],
      ['a', 'b', bad],
    );
    // Inside a name some are harmless: a dot, a dash, a dot twice.
    for (const name of [`x${bad}`, `x${bad}y`, `${bad}y`, `${bad}${bad}`, `名${bad}`]) {
      if (nameFault(name) !== undefined) paths.push([name], ['directory', name], [name, 'file']);
    }
  }
  paths.push(
    Array.from({ length: 33 }, () => 'd'),
    Array.from({ length: 255 }, () => 'd'),
    [],
  );
  return paths;
}

test('receiveFiles() takes none of 500 hostile names, and nothing outside is touched', async () => {
  using place = new TwoDirectories();
  writeFileSync(join(place.source, 'file'), 'outside');
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const { port } = receiver.address as { port: number };
  const paths = hostilePaths();
  assert.ok(paths.length >= 500, `${paths.length} paths`);
  for (const path of paths) {
    const sender = await HostileSender.offering(port, 10);
    const outcome = await sender.sendFile(plainEntry(path, 4), Buffer.from('evil'));
    assert.equal(outcome?.type, 'failure', `${JSON.stringify(path)}: ${JSON.stringify(outcome)}`);
    sender.close();
    const whole = await HostileSender.offering(port, 10);
    await whole.sendWhole(plainEntry(path, 4), Buffer.from('evil'));
    const said = await whole.next('ack', 'accept', 'refuse', 'failure');
    assert.equal(said?.type, 'failure', `whole ${JSON.stringify(path)}: ${JSON.stringify(said)}`);
    whole.close();
  }
  assert.deepEqual(readdirSync(place.inbox), []);
  assert.deepEqual(readdirSync(place.source), ['file']);
  assert.equal(readFileSync(join(place.source, 'file'), 'utf8'), 'outside');
});

test('receiveFiles() refuses the names of its own unfinished files', async () => {
  using place = new TwoDirectories();
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const sender = await HostileSender.offering((receiver.address as { port: number }).port);
  const name = `.sockeye-${'0'.repeat(32)}.part`;
  const outcome = await sender.sendFile(plainEntry([name], 4), Buffer.from('evil'));
  assert.equal(outcome?.type === 'refuse' && outcome.reason, 'name');
  await sender.sendWhole(plainEntry([name], 4, 1), Buffer.from('evil'));
  const said = await sender.next('ack', 'accept', 'refuse', 'failure');
  assert.equal(said?.type === 'refuse' && said.reason, 'name');
  assert.deepEqual(readdirSync(place.inbox), []);
  sender.close();
});

test('receiveFiles() follows no link that lies in its directory', async () => {
  using place = new TwoDirectories();
  const outside = join(place.source, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(place.inbox, 'directory'));
  symlinkSync(join(outside, 'target'), join(place.inbox, 'file'));
  symlinkSync('/proc/self/root', join(place.inbox, 'magic'));
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, {
    insecure: true,
    existing: 'overwrite',
  });
  const sender = await HostileSender.offering((receiver.address as { port: number }).port);
  const paths = [['directory', 'file'], ['file'], ['magic', 'tmp', 'evil']];
  for (const [id, path] of paths.entries()) {
    const outcome = await sender.sendFile(plainEntry(path, 4, id), Buffer.from('evil'));
    assert.equal(outcome?.type, 'refuse', JSON.stringify(path));
  }
  for (const [id, path] of paths.entries()) {
    await sender.sendWhole(plainEntry(path, 4, paths.length + id), Buffer.from('evil'));
    const said = await sender.next('ack', 'accept', 'refuse', 'failure');
    assert.equal(said?.type, 'refuse', `whole ${JSON.stringify(path)}`);
  }
  assert.deepEqual(readdirSync(outside), []);
  assert.equal(existsSync('/tmp/evil'), false);
  sender.close();
});

test('receiveFiles() ends the session of a sender that breaks the protocol, and takes the next', async () => {
  using place = new TwoDirectories();
  const ended: string[] = [];
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, {
    insecure: true,
    onEvent: (event) => {
      if (event.type === 'ended') ended.push(event.error.message);
    },
  });
  const { port } = receiver.address as { port: number };
  const hash = Buffer.alloc(32);
  const entry = plainEntry(['file'], 600_000);
  const payload = Buffer.alloc(10);
  const setuid = encodeMessage({ type: 'entry', entry: { ...entry, mode: 0o4755 } });
  const cases: ((sender: HostileSender) => Promise<void>)[] = [
    (sender) => sender.send({ type: 'offer', entries: 1, bytes: 1, names: [] }),
    (sender) => sender.send({ type: 'entry', entry: { ...entry, id: 7 } }),
    (sender) => sender.send({ type: 'entry', entry: { ...entry, size: 2 ** 43 } }),
    (sender) => sender.sendBytes(setuid),
    (sender) => sender.send({ type: 'block', id: 0, index: 0, hash, payload }),
    (sender) => sender.send({ type: 'end', id: 3, root: hash, seal: hash }),
    (sender) => sender.send({ type: 'bye' }),
    (sender) => sender.send({ type: 'offer', entries: 0, bytes: 0, names: [] }),
    (sender) => sender.sendBytes(Buffer.from([0, 0, 0, 1, 99])),
    (sender) => sender.sendBytes(Buffer.from([0, 0, 0, 0, 1])),
    (sender) => sender.sendBytes(Buffer.from([0x7f, 0xff, 0xff, 0xff, 8])),
  ];
  for (const misbehave of cases) {
    const sender = await HostileSender.offering(port);
    await misbehave(sender);
    assert.equal((await sender.next('failure'))?.type, 'failure');
    assert.equal(await sender.next(), undefined);
    sender.close();
  }
  assert.equal(ended.length, cases.length, ended.join('\n'));
  const sender = await HostileSender.offering(port);
  const outcome = await sender.sendFile(plainEntry(['good'], 4), Buffer.from('good'));
  assert.equal(outcome?.type, 'ack');
  sender.close();
  assert.deepEqual(readdirSync(place.inbox), ['good']);
});

test('receiveFiles() takes fewer entries than were offered, and does not call that complete', async () => {
  using place = new TwoDirectories();
  const options = { insecure: true, once: true };
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, options);
  const { port } = receiver.address as { port: number };
  const sender = await HostileSender.offering(port, 2);
  await sender.sendFile(plainEntry(['one'], 3), Buffer.from('one'));
  await sender.send({ type: 'done' });
  assert.equal((await sender.next('bye', 'failure'))?.type, 'bye');
  sender.close();
  const receipt = await receiver.finished();
  assert.deepEqual([receipt?.acknowledged, receipt?.failed, receipt?.complete], [1, 0, false]);
});

test('receiveFiles() keeps at most 1 MiB of whole files that its sink has not stored yet', async () => {
  const kept: (() => void)[] = [];
  const sink: TransferSink = {
    open: () => Promise.reject(new Error('nobody asked for it')),
    putWhole: () =>
      new Promise((resolve) => {
        if (kept.length < 16) kept.push(() => resolve(true));
        else resolve(true);
      }),
  };
  await using receiver = await receiveFiles(sink, LOOPBACK, { insecure: true });
  const { port } = receiver.address as { port: number };
  const sender = await HostileSender.offering(port);
  const payload = Buffer.alloc(65_536);
  const send = (id: number): Promise<void> =>
    sender.sendWhole(plainEntry([`f${id}`], 65_536, id), payload);
  for (let id = 0; id < 16; id++) await send(id);
  while (kept.length < 16) await setImmediate();
  kept.shift()?.();
  assert.equal((await sender.next('ack', 'failure'))?.type, 'ack');
  await send(16);
  await send(17);
  const answer = await sender.next('ack', 'failure');
  for (const store of kept) store();
  assert.equal(answer?.type, 'failure');
  sender.close();
});

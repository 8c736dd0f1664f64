import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { countDescriptors, rejection } from '../testing/index.ts';
import { receiveFiles, type ReceiveOptions } from './receive-files.ts';
import { sendFiles, type SendOptions } from './send-files.ts';
import type { SinkFile } from './sink.ts';
import { LOOPBACK, transfer, TwoDirectories } from './transfers.test.util.ts';

const insecure = { insecure: true };

test('sendFiles() and receiveFiles() with options that are none throw before anything is done', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const nowhere = { host: '127.0.0.1', port: 1 };
  const common = [
    { secret: 5 },
    { insecure: 'false' },
    { insecure: 1 },
    { hashes: {} },
    { signal: {} },
    { onEvent: 1 },
    { onEntry: 'x' },
    { idleTimeoutMs: Number.NaN },
    { frameTimeoutMs: '10' },
    { dialling: 'lsiten' },
  ];
  const receiving = [
    { existing: 'Overwrite' },
    { maxBytes: '10M' },
    { maxFileBytes: Number.NaN },
    { maxEntries: -1 },
    { maxConnections: 0 },
    { decide: true },
    { once: 'no' },
  ];
  const before = process.platform === 'linux' ? countDescriptors('socket:') : 0;
  const isArgumentError = /^ERR_(INVALID_ARG|OUT_OF_RANGE)/;
  const code = async (attempt: Promise<unknown>) => (await rejection(attempt)).code ?? '';
  for (const wrong of common) {
    const options = ('secret' in wrong ? wrong : { ...insecure, ...wrong }) as SendOptions;
    assert.match(await code(sendFiles([path], nowhere, options)), isArgumentError);
  }
  for (const wrong of [...common, ...receiving]) {
    const options = ('secret' in wrong ? wrong : { ...insecure, ...wrong }) as ReceiveOptions;
    assert.match(await code(receiveFiles(place.inbox, LOOPBACK, options)), isArgumentError);
  }
  for (const paths of [path, null, new Set([path]), [path, 5]]) {
    const attempt = sendFiles(paths as string[], nowhere, insecure);
    assert.match(await code(attempt), isArgumentError);
  }
  if (process.platform === 'linux') assert.equal(countDescriptors('socket:'), before);
});

test('receiveFiles() and a listening sendFiles() hear a signal that comes while they begin', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const reason = new Error('enough');
  const listening = { ...insecure, dialling: 'listen' } as const;
  for (const begin of [
    (signal: AbortSignal) => receiveFiles(place.inbox, LOOPBACK, { ...insecure, signal }),
    (signal: AbortSignal) => sendFiles([path], LOOPBACK, { ...listening, signal }),
  ]) {
    const cancel = new AbortController();
    const begun = rejection(begin(cancel.signal));
    cancel.abort(reason);
    assert.equal(await begun, reason);
  }
});

const broken = (type: string) => (event: { readonly type: string }) => {
  if (event.type === type) throw new Error(`the handler of ${type}`);
};

for (const type of ['offer', 'progress', 'file', 'failed', 'done']) {
  test(`what onEvent throws of ${type} ends the transfer, and is what it rejects with`, async () => {
    using place = new TwoDirectories();
    const paths = [
      place.write('small', 'hello'),
      place.write('large', 3_000_000),
      place.write('there', 'other'),
    ];
    writeFileSync(join(place.inbox, 'there'), 'which is kept');
    const onEvent = broken(type);
    const sending = transfer(paths, place.inbox, { send: { onEvent } });
    assert.equal((await rejection(sending)).message, `the handler of ${type}`);
    const options = { ...insecure, onEvent };
    await using receiver = await receiveFiles(place.inbox, LOOPBACK, options);
    const more = [...paths, place.write('more', 'once more')];
    const sent = sendFiles(more, receiver.address as typeof LOOPBACK, insecure);
    const settled = sent.catch(() => undefined);
    assert.equal((await rejection(receiver.finished())).message, `the handler of ${type}`);
    await settled;
  });
}

test('receiveFiles() closes while somebody thinks about an offer', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  let whenAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => (whenAsked = resolve));
  const receiver = await receiveFiles(place.inbox, LOOPBACK, {
    ...insecure,
    decide() {
      whenAsked();
      return new Promise(() => undefined);
    },
  });
  const sending = rejection(sendFiles([path], receiver.address as typeof LOOPBACK, insecure));
  await asked;
  await receiver.close();
  assert.match((await sending).message, /the receiver was closed/);
});

test('receiveFiles() refuses what a sink throws at, without a promise as well', async () => {
  using place = new TwoDirectories();
  place.write('file', 1_000_000);
  const fail = (): never => {
    throw new Error('the sink is broken');
  };
  const kept = { keptBlocks: 0, isComparison: false, readKept: fail, differs: fail } as const;
  const file: SinkFile = { ...kept, write: fail, commit: fail, abandon: fail };
  const sink = { open: () => Promise.resolve(file), finishDirectory: fail };
  await using receiver = await receiveFiles(sink, LOOPBACK, { ...insecure, once: true });
  const to = receiver.address as typeof LOOPBACK;
  const { entries } = await sendFiles([place.source], to, insecure);
  const texts = entries.map(({ text }) => text);
  assert.deepEqual(texts, ['the sink is broken', 'the sink is broken']);
  await receiver.finished();
});

test('sendFiles() sends no two sources under one name', async () => {
  using place = new TwoDirectories();
  const paths = [place.write('a/same', '1'), place.write('b/same', '2')];
  const receive: ReceiveOptions = { existing: 'overwrite' };
  const error = await rejection(transfer(paths, place.inbox, { receive }));
  assert.equal(error.code, 'ERR_TRANSFER_NAME');
  assert.match(error.message, /called "same" too/);
  assert.deepEqual(readdirSync(place.inbox), []);
});

test('sendFiles() tells of each of many sources that change after the offer', async () => {
  using place = new TwoDirectories();
  const content = Buffer.alloc(65_537);
  const names = Array.from({ length: 1_500 }, (_, i) => place.write(`tree/${i}`, content));
  place.write('tree/zz', 'as it was');
  const decide = (): Promise<boolean> => {
    for (const name of names) appendFileSync(name, 'x');
    return Promise.resolve(true);
  };
  const tree = join(place.source, 'tree');
  const { receipt } = await transfer([tree], place.inbox, { receive: { decide } });
  assert.equal(receipt.failed, names.length);
  assert.ok(receipt.entries.every(({ reason = 'source-changed' }) => reason === 'source-changed'));
  assert.equal(readFileSync(join(place.inbox, 'tree/zz'), 'utf8'), 'as it was');
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { IPPROTO_TCP, TCP_NODELAY } from '../constants/index.ts';
import { createConnection, createServer } from '../socket/index.ts';
import { needs, rejection } from '../testing/index.ts';
import { receiveFiles } from './receive-files.ts';
import { sendFiles } from './send-files.ts';
import type { TransferError } from './transfer-error.ts';
import { verifyReceipt } from './verify-receipt.ts';
import { generateSecret } from './wire/pairing-secret.ts';
import { contents, LOOPBACK, MIB, Proxy, transfer, TwoDirectories } from './transfers.test.util.ts';

function states({ entries }: { entries: readonly { path: readonly string[]; state: string }[] }) {
  return Object.fromEntries(entries.map(({ path, state }) => [path.join('/'), state]));
}

for (const protection of ['secret', 'insecure'] as const) {
  test(`sendFiles() with ${protection} brings a tree over as it is`, async () => {
    using place = new TwoDirectories();
    place.write('tree/empty', '');
    place.write('tree/名字', 'Unicode');
    place.write('tree/below/small', 'hello');
    place.write('tree/below/large', 3 * MIB + 1);
    place.write('tree/exact', MIB);
    mkdirSync(join(place.source, 'tree/hollow'));
    chmodSync(join(place.source, 'tree/below/small'), 0o640);
    utimesSync(join(place.source, 'tree/below'), 1, 978_307_200);
    utimesSync(join(place.source, 'tree/below/small'), 1, 1_234_567.5);
    chmodSync(join(place.source, 'tree/hollow'), 0o500);
    const secret = generateSecret();
    const receive = protection === 'secret' ? { secret } : {};
    const { receipt, receiverReceipt } = await transfer([join(place.source, 'tree')], place.inbox, {
      receive,
    });
    assert.equal(receipt.complete, true);
    assert.equal(receipt.encrypted, protection === 'secret');
    assert.deepEqual(contents(place.inbox), contents(place.source));
    const at = (name: string) => statSync(join(place.inbox, 'tree', name));
    assert.equal(at('below/small').mode & 0o7777, 0o640);
    assert.equal(at('below/small').mtimeMs, 1_234_567_500);
    assert.equal(at('below').mtimeMs, 978_307_200_000);
    assert.equal(at('hollow').mode & 0o7777, 0o500);
    assert.deepEqual(states(receipt), states(receiverReceipt ?? receipt));
    const large = receipt.entries.find(({ path }) => path.at(-1) === 'large');
    assert.match(large?.senderRoot ?? '', /^[0-9a-f]{64}$/);
    assert.equal(large?.senderRoot, large?.receiverRoot);
    assert.equal(
      [...contents(place.inbox).keys()].some((name) => name.endsWith('.part')),
      false,
    );
  });
}

test('no answer of a transfer waits for a delayed ACK: both sides send at once', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  using listener = createServer(LOOPBACK);
  const [client, [server]] = await Promise.all([
    createConnection(listener.getsockname()),
    listener.accept(),
  ]);
  const sockets = [client, server];
  const sendAtOnce: number[] = [];
  const decide = () => {
    for (const socket of sockets) sendAtOnce.push(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY));
    return Promise.resolve(true);
  };
  await using receiver = await receiveFiles(place.inbox, server, { insecure: true, decide });
  const receipt = await sendFiles([path], client, { insecure: true });
  assert.equal(receipt.complete, true);
  await receiver.finished();
  assert.deepEqual(sendAtOnce, [1, 1]);
});

test('sendFiles() leaves holes where the source has them', await needs('linux'), async () => {
  using place = new TwoDirectories();
  const path = place.write('sparse', '');
  truncateSync(path, 64 * MIB);
  execFileSync('dd', [
    'if=/dev/urandom',
    `of=${path}`,
    'bs=4096',
    'seek=5000',
    'count=3',
    'conv=notrunc',
    'status=none',
  ]);
  const { receipt } = await transfer([path], place.inbox);
  assert.equal(receipt.complete, true);
  assert.deepEqual(readFileSync(join(place.inbox, 'sparse')), readFileSync(path));
  assert.ok(statSync(join(place.inbox, 'sparse')).blocks * 512 <= 64 * 1024);
  assert.ok(receipt.transferredBytes <= MIB);
});

test('sendFiles() and receiveFiles() give entries to who wants them instead of keeping them', async () => {
  using place = new TwoDirectories();
  for (const name of ['a', 'b', 'c/d']) place.write(`tree/${name}`, 7);
  const sent: string[] = [];
  const received: [string, string][] = [];
  const { receipt, receiverReceipt } = await transfer([join(place.source, 'tree')], place.inbox, {
    send: { onEntry: ({ path }) => sent.push(path.join('/')) },
    receive: { onEntry: ({ path }, peer) => received.push([path.join('/'), peer]) },
  });
  const all = ['tree', 'tree/a', 'tree/b', 'tree/c', 'tree/c/d'];
  assert.deepEqual(sent.toSorted(), all);
  assert.deepEqual(received.map(([path]) => path).toSorted(), all);
  assert.ok(received.every(([, peer]) => peer === receiverReceipt?.peer));
  for (const { acknowledged, failed, complete, entries } of [receipt, receiverReceipt as never]) {
    assert.deepEqual([acknowledged, failed, complete, entries], [5, 0, true, []]);
  }
  // Nobody can take a receipt without its entries for one of nothing.
  await assert.rejects(verifyReceipt(receipt, place.inbox), TypeError);
});

test('sendFiles() again counts what is there and the same as done', async () => {
  using place = new TwoDirectories();
  place.write('large', 2 * MIB);
  place.write('small', 'hello');
  const paths = ['large', 'small'].map((name) => join(place.source, name));
  await transfer(paths, place.inbox);
  const before = statSync(join(place.inbox, 'large'));
  const { receipt } = await transfer(paths, place.inbox);
  assert.deepEqual(states(receipt), { large: 'identical', small: 'identical' });
  // A small file goes out with its announcement, 1 MiB of them at most.
  assert.equal(receipt.transferredBytes, 5);
  assert.equal(statSync(join(place.inbox, 'large')).ino, before.ino);
});

for (const content of ['other', 'longer than the one that is sent']) {
  test(`receiveFiles() keeps a file that is there (${content.length} bytes) and refuses the new one`, async () => {
    using place = new TwoDirectories();
    const path = place.write('file', 'hello');
    const others = place.write('others', 'arrives');
    writeFileSync(join(place.inbox, 'file'), content);
    const { receipt, events } = await transfer([path, others], place.inbox);
    assert.equal(receipt.complete, false);
    assert.equal(readFileSync(join(place.inbox, 'file'), 'utf8'), content);
    assert.equal(readFileSync(join(place.inbox, 'others'), 'utf8'), 'arrives');
    const failed = events.find((event) => event.type === 'failed');
    assert.equal(failed?.reason, 'exists');
  });

  test(`receiveFiles() with existing: 'overwrite' replaces a file (${content.length} bytes)`, async () => {
    using place = new TwoDirectories();
    const path = place.write('file', 'hello');
    writeFileSync(join(place.inbox, 'file'), content);
    const { receipt } = await transfer([path], place.inbox, {
      receive: { existing: 'overwrite' },
    });
    assert.equal(receipt.complete, true);
    assert.equal(readFileSync(join(place.inbox, 'file'), 'utf8'), 'hello');
  });
}

test("receiveFiles() with existing: 'append' completes a beginning and refuses anything else", async () => {
  using place = new TwoDirectories();
  const path = place.write('log', 3 * MIB);
  const whole = readFileSync(path);
  writeFileSync(join(place.inbox, 'log'), whole.subarray(0, 2 * MIB + 5));
  const first = await transfer([path], place.inbox, { receive: { existing: 'append' } });
  assert.equal(first.receipt.complete, true);
  assert.equal(first.receipt.transferredBytes, MIB);
  assert.deepEqual(readFileSync(join(place.inbox, 'log')), whole);
  const other = Buffer.from(whole.subarray(0, 2 * MIB + 5));
  other[2 * MIB + 4] = ~(other[2 * MIB + 4] as number);
  writeFileSync(join(place.inbox, 'log'), other);
  const second = await transfer([path], place.inbox, { receive: { existing: 'append' } });
  assert.equal(second.receipt.complete, false);
  assert.deepEqual(readFileSync(join(place.inbox, 'log')), other);
  assert.deepEqual(readdirSync(place.inbox), ['log'], 'what was refused leaves nothing');
});

test('receiveFiles() leaves the mode and time of a directory that was there, a private one as well', async () => {
  using place = new TwoDirectories();
  for (const name of ['private', 'open']) {
    place.write(`${name}/file`, 'hello');
    chmodSync(join(place.source, name), 0o777);
    mkdirSync(join(place.inbox, name));
  }
  chmodSync(join(place.inbox, 'private'), 0o700);
  chmodSync(join(place.inbox, 'open'), 0o755);
  const paths = ['private', 'open'].map((name) => join(place.source, name));
  assert.equal((await transfer(paths, place.inbox)).receipt.complete, true);
  const modeOf = (name: string) => statSync(join(place.inbox, name)).mode & 0o7777;
  assert.equal(modeOf('private'), 0o700);
  assert.equal(modeOf('open'), 0o755);
});

test('sendFiles() follows a link that it was given and tells of those that it leaves out', async () => {
  using place = new TwoDirectories();
  place.write('tree/file', 'hello');
  symlinkSync('/etc/passwd', join(place.source, 'tree/link'));
  symlinkSync('tree/file', join(place.source, 'alias'));
  const paths = ['tree', 'alias'].map((name) => join(place.source, name));
  const { receipt } = await transfer(paths, place.inbox);
  assert.deepEqual([...contents(place.inbox).keys()], ['alias', 'tree/file']);
  assert.equal(states(receipt)['tree/link'], 'failed');
});

test('sendFiles() rejects for a path that is not there, before it connects', async () => {
  using place = new TwoDirectories();
  const error = await rejection(
    sendFiles([join(place.source, 'none')], LOOPBACK, { insecure: true }),
  );
  assert.equal(error.code, 'ENOENT');
});

test('sendFiles() wants a secret or insecure, and a secret that is long enough', async () => {
  assert.equal((await rejection(sendFiles([], LOOPBACK))).code, 'ERR_INVALID_ARG_VALUE');
  const both = sendFiles([], LOOPBACK, { insecure: true, secret: generateSecret() });
  assert.equal((await rejection(both)).code, 'ERR_INVALID_ARG_VALUE');
  const short = await rejection(sendFiles([], LOOPBACK, { secret: 'correct horse' }));
  assert.equal(short.code, 'ERR_TRANSFER_SECRET');
  assert.doesNotMatch(short.message, /horse/);
});

test('sendFiles() rejects with what the receiver said when it declines', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const receive = { decide: () => Promise.resolve('not today') };
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true, ...receive });
  const { port } = receiver.address as { port: number };
  const to = { host: '127.0.0.1', port };
  const error = await rejection<TransferError>(sendFiles([path], to, { insecure: true }));
  assert.equal(error.reason, 'declined');
  assert.match(error.message, /"not today"/);
  assert.deepEqual(readdirSync(place.inbox), []);
});

test('receiveFiles() refuses an offer above its quota, and a file above its own', async () => {
  using place = new TwoDirectories();
  const large = place.write('large', MIB);
  const small = place.write('small', 'hello');
  const whole = transfer([large], place.inbox, { receive: { maxBytes: 1000 } });
  assert.equal((await rejection<TransferError>(whole)).reason, 'quota');
  const { receipt } = await transfer([large, small], place.inbox, {
    receive: { maxFileBytes: 1000 },
  });
  assert.deepEqual(states(receipt), { large: 'failed', small: 'written' });
});

test('sendFiles() listens and receiveFiles() connects, for a side that cannot be reached', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const secret = generateSecret();
  const listening = new Promise<{ port: number }>((resolve, reject) => {
    sendFiles([path], LOOPBACK, {
      secret,
      dialling: 'listen',
      onListening: (address) => resolve(address as unknown as { port: number }),
    }).catch(reject);
  });
  const { port } = await listening;
  await using receiver = await receiveFiles(
    place.inbox,
    { host: '127.0.0.1', port },
    { secret, dialling: 'connect' },
  );
  assert.equal((await receiver.finished())?.complete, true);
  assert.equal(readFileSync(join(place.inbox, 'file'), 'utf8'), 'hello');
});

test("receiveFiles() gives files to a sink of one's own", async () => {
  using place = new TwoDirectories();
  place.write('tree/file', 700_000);
  const pieces: Buffer[] = [];
  const committed: string[] = [];
  const sink = {
    open: () =>
      Promise.resolve({
        keptBlocks: 0,
        isComparison: false,
        readKept: () => Promise.resolve(0),
        write(bytes: Uint8Array) {
          pieces.push(Buffer.from(bytes));
          return Promise.resolve();
        },
        commit() {
          committed.push('file');
          return Promise.resolve();
        },
        differs: () => Promise.reject(new Error('unreachable')),
        abandon: () => Promise.resolve(),
      }),
  };
  await using receiver = await receiveFiles(sink, LOOPBACK, { insecure: true, once: true });
  const to = { host: '127.0.0.1', port: (receiver.address as { port: number }).port };
  const receipt = await sendFiles([join(place.source, 'tree')], to, { insecure: true });
  assert.equal(receipt.complete, true);
  assert.deepEqual(committed, ['file']);
  assert.deepEqual(Buffer.concat(pieces), readFileSync(join(place.source, 'tree/file')));
});

test('sendFiles() after a cut sends no more than 8 MiB twice', async () => {
  using place = new TwoDirectories();
  const path = place.write('large', 40 * MIB);
  let cutAt = 10 * MIB;
  using proxy = new Proxy((chunk, offset, close) => {
    if (offset > cutAt) close();
    return chunk;
  });
  const through = (port: number) => proxy.listen(port);
  for (let cut = 0; cut < 3; cut++) {
    await rejection(transfer([path], place.inbox, { through }));
  }
  cutAt = Number.POSITIVE_INFINITY;
  const { receipt } = await transfer([path], place.inbox, { through });
  assert.equal(receipt.complete, true);
  assert.ok(receipt.transferredBytes < 30 * MIB, `${receipt.transferredBytes} in the last run`);
  // Three cuts, 8 MiB each; headers and the rest take less than the last one leaves over.
  assert.ok(proxy.bytes < (40 + 3 * 8) * MIB, `${proxy.bytes} in all`);
  assert.deepEqual(readFileSync(join(place.inbox, 'large')), readFileSync(path));
});

test('sendFiles() ends with the reason of its signal, and the next one goes on', async () => {
  using place = new TwoDirectories();
  const path = place.write('large', 12 * MIB);
  const abort = new AbortController();
  const reason = new Error('enough');
  const send = {
    signal: abort.signal,
    bytesPerSecond: 40 * MIB,
    onEvent: (event: { type: string; bytes?: number }) => {
      if (event.type === 'progress' && (event.bytes ?? 0) > 2 * MIB) abort.abort(reason);
    },
  };
  assert.equal(await rejection(transfer([path], place.inbox, { send })), reason);
  assert.deepEqual(
    readdirSync(place.inbox).filter((name) => name === 'large'),
    [],
  );
  const { receipt } = await transfer([path], place.inbox);
  assert.ok(receipt.transferredBytes <= 11 * MIB, `${receipt.transferredBytes} again`);
  assert.deepEqual(readFileSync(join(place.inbox, 'large')), readFileSync(path));
});

test('sendFiles() leaves no timer behind when it ends while its rate makes it wait', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 3 * MIB);
  const signal = AbortSignal.timeout(100);
  // A block has to wait 13 s.
  const send = { signal, bytesPerSecond: 40_000 };
  assert.equal(await rejection(transfer([path], place.inbox, { send })), signal.reason);
  await setImmediate();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
  assert.deepEqual(timers, []);
});

test('sendFiles() warns of nothing where many files wait for their turn', async () => {
  using place = new TwoDirectories();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const paths = Array.from({ length: 20 }, (_, i) => place.write(`${i}`, 100_000));
  const send = { bytesPerSecond: 10 * MIB, parallel: 16 };
  const { receipt } = await transfer(paths, place.inbox, { send });
  // A warning is told in a later turn.
  await setImmediate();
  process.off('warning', onWarning);
  assert.deepEqual([receipt.complete, warnings], [true, []]);
});

test('both sides tell of all bytes in the end: of small files, and of those that were there', async () => {
  using place = new TwoDirectories();
  const paths = [place.write('small', 'hello'), place.write('large', 3 * MIB)];
  for (const round of ['first', 'again']) {
    const { events, receiverEvents } = await transfer(paths, place.inbox);
    for (const told of [events, receiverEvents]) {
      const last = told.findLast(({ type }) => type === 'progress');
      const bytes = last?.type === 'progress' ? [last.bytes, last.totalBytes] : [];
      assert.deepEqual(bytes, [3 * MIB + 5, 3 * MIB + 5], round);
    }
  }
});

test('sendFiles() keeps to bytesPerSecond', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 2 * MIB);
  const began = performance.now();
  await transfer([path], place.inbox, { send: { bytesPerSecond: 4 * MIB } });
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds >= 0.35, `${seconds} s`);
});

test('a transfer of many files at once arrives whole', async () => {
  using place = new TwoDirectories();
  for (let i = 0; i < 600; i++) place.write(`tree/${i % 7}/file ${i}`, i * 10);
  const { receipt } = await transfer([join(place.source, 'tree')], place.inbox, {
    send: { parallel: 16 },
  });
  assert.equal(receipt.complete, true);
  assert.deepEqual(contents(place.inbox), contents(place.source));
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { SOCK_DGRAM } from '../constants/index.ts';
import { rejection, TemporaryDirectory } from '../testing/index.ts';
import { receiveAll, receiveExactly, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';

const content = randomBytes(3 * 1024 * 1024 + 17);

function fileOf(directory: TemporaryDirectory, bytes = content): string {
  const path = directory.file('content');
  writeFileSync(path, bytes);
  return path;
}

test('sendfile() sends a whole file, by path, descriptor and FileHandle', async () => {
  using directory = new TemporaryDirectory();
  const path = fileOf(directory);
  const fd = openSync(path, 'r');
  await using handle = await open(path);
  for (const source of [path, fd, handle]) {
    using pair = await tcpPair();
    const [sent, got] = await Promise.all([
      pair.client.sendfile(source),
      receiveExactly(pair.server, content.length),
    ]);
    assert.equal(sent, content.length);
    assert.ok(got.equals(content));
  }
  closeSync(fd);
});

test('sendfile() sends the part that offset and count name, and moves the position behind it', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const fd = openSync(fileOf(directory), 'r');
  assert.equal(await pair.client.sendfile(fd, 1000, 500), 500);
  assert.ok((await receiveExactly(pair.server, 500)).equals(content.subarray(1000, 1500)));
  const next = Buffer.alloc(4);
  readSync(fd, next);
  assert.ok(next.equals(content.subarray(1500, 1504)));
  assert.equal(await pair.client.sendfile(fd, content.length - 5, 500), 5);
  assert.equal(await pair.client.sendfile(fd, content.length + 1), 0);
  closeSync(fd);
});

test('sendfileSync() sends what a waiting peer takes', async () => {
  using directory = new TemporaryDirectory();
  using pair = unixPair();
  assert.equal(pair.client.sendfileSync(fileOf(directory, Buffer.from('small')), 1), 4);
  assert.equal((await pair.server.recv(10)).toString(), 'mall');
});

test('sendfile() reads a pipe, which sendfile(2) does not take', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const child = spawn('sh', ['-c', `head -c 300000 /dev/zero > ${fifo}`], { stdio: 'ignore' });
  // Opens when the writer does; a read then waits for it.
  const fd = openSync(fifo, 'r');
  const [sent, received] = await Promise.all([
    pair.client.sendfile(fd),
    receiveExactly(pair.server, 300_000),
  ]);
  assert.deepEqual([sent, received.length], [300_000, 300_000]);
  closeSync(fd);
  await once(child, 'exit');
});

test('sendfile() that times out says how much went, and leaves the position behind it', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  writeFileSync(directory.file('large'), Buffer.alloc(32 * 1024 * 1024));
  const fd = openSync(directory.file('large'), 'r');
  pair.client.settimeout(0.1);
  const error = await rejection<Error & { code: string; bytesSent: number }>(
    pair.client.sendfile(fd),
  );
  assert.deepEqual([error.name, error.code], ['TimeoutError', 'ETIMEDOUT']);
  assert.ok(error.bytesSent > 0);
  pair.client.close();
  assert.equal((await receiveAll(pair.server)).length, error.bytesSent);
  closeSync(fd);
});

test('sendfile() refuses what it can not do before any system call', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  using datagrams = await udpPair();
  const path = fileOf(directory, Buffer.from('x'));
  const { client } = pair;
  for (const count of [0, -1])
    assert.ok((await rejection(client.sendfile(path, 0, count))) instanceof RangeError);
  for (const count of ['1', 1.5]) {
    assert.ok((await rejection(client.sendfile(path, 0, count as number))) instanceof TypeError);
  }
  assert.ok((await rejection(client.sendfile(path, -1))) instanceof RangeError);
  assert.ok((await rejection(client.sendfile({} as never))) instanceof TypeError);
  assert.ok((await rejection(datagrams.client.sendfile(path))) instanceof TypeError);
  assert.equal(datagrams.client.type, SOCK_DGRAM);
  client.settimeout(0);
  assert.ok((await rejection(client.sendfile(path))) instanceof TypeError);
  client.settimeout(null);
  assert.equal((await rejection(client.sendfile(directory.file('none')))).code, 'ENOENT');
});

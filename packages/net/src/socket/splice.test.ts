import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { SHUT_WR, SO_RCVBUF, SO_SNDBUF, SOL_SOCKET } from '../constants/index.ts';
import { rejection, TemporaryDirectory, until } from '../testing/index.ts';
import { type Pair, receiveExactly, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';
import { setPipeSize } from './set-pipe-size.ts';
import { splice } from './splice.ts';

const content = randomBytes(5 * 1024 * 1024 + 17);
const PAIRS: Record<string, () => Pair<number> | Promise<Pair<number>>> = {
  tcp: tcpPair,
  unix: unixPair,
};

for (const [from, makeFrom] of Object.entries(PAIRS)) {
  test(`splice() moves every byte from ${from} into a file, from its position on`, async () => {
    using directory = new TemporaryDirectory();
    using near = await makeFrom();
    const path = directory.file('received');
    const fd = openSync(path, 'w');
    writeSync(fd, 'head');
    let told = 0;
    const moved = splice(near.server, fd, { onMoved: (bytes) => (told += bytes) });
    await near.client.sendall(content);
    near.client.close();
    assert.deepEqual([await moved, told], [content.length, content.length]);
    writeSync(fd, 'tail');
    closeSync(fd);
    const whole = Buffer.concat([Buffer.from('head'), content, Buffer.from('tail')]);
    assert.ok(readFileSync(path).equals(whole));
  });
}

test('splice() into a file that takes nothing ends with its error, and leaves no descriptor', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('kept');
  writeFileSync(path, 'kept');
  const count = (): number => readdirSync('/proc/self/fd').length;
  const seen: number[] = [];
  for (const [flags, code] of [
    ['r', 'EBADF'],
    ['a', 'EINVAL'],
    ['r', 'EBADF'],
  ] as const) {
    using near = unixPair();
    const fd = openSync(path, flags);
    await near.client.sendall(Buffer.from('lost'));
    const error = await rejection<Error & { code: string; syscall: string }>(
      splice(near.server, fd),
    );
    assert.deepEqual([error.code, error.syscall], [code, 'splice']);
    closeSync(fd);
    seen.push(count());
  }
  assert.equal(seen[2], seen[0]);
  assert.equal(readFileSync(path, 'utf8'), 'kept');
});

test('splice() takes no more than a pipe holds from a source whose target is slow', async () => {
  using near = unixPair();
  using far = unixPair();
  const stop = new AbortController();
  const moved = splice(near.server, far.client, { signal: stop.signal });
  near.client.settimeout(0.3);
  const error = await rejection<Error & { bytesSent: number }>(
    near.client.sendall(Buffer.alloc(64 * 1024 * 1024)),
  );
  assert.ok(error.bytesSent < 4 * 1024 * 1024, `${error.bytesSent} bytes were taken`);
  stop.abort(new Error('enough'));
  assert.equal((await rejection(moved)).message, 'enough');
});

test('splice() reads a pipe to its end and leaves O_NONBLOCK and the descriptor alone', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const child = spawn('sh', ['-c', `head -c 3000000 /dev/zero > ${fifo}`], {
    stdio: 'ignore',
  });
  // Blocks until the writer opens it too; its description has no O_NONBLOCK.
  const fd = openSync(fifo, 'r');
  const flags = flagsOf(fd);
  const [moved, received] = await Promise.all([
    splice(fd, pair.client),
    receiveExactly(pair.server, 3_000_000),
  ]);
  assert.deepEqual([moved, received.length, flagsOf(fd)], [3_000_000, 3_000_000, flags]);
  closeSync(fd);
  if (child.exitCode === null) await once(child, 'exit');
});

test('splice() fills a pipe at the pace of its reader', async () => {
  using pair = await tcpPair();
  using directory = new TemporaryDirectory();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = spawn('sha256sum', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
  const fd = openSync(fifo, 'w');
  const moved = splice(pair.server, fd);
  await pair.client.sendall(content);
  pair.client.shutdown(SHUT_WR);
  assert.equal(await moved, content.length);
  closeSync(fd);
  const [digest] = (await once(reader.stdout, 'data')) as [Buffer];
  assert.ok(digest.toString().startsWith(createHash('sha256').update(content).digest('hex')));
});

test('splice() to a pipe that nobody reads fails with EPIPE', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, 'r+');
  const fd = openSync(fifo, 'w');
  closeSync(reader);
  await pair.client.sendall(Buffer.from('x'));
  assert.equal((await rejection(splice(pair.server, fd))).code, 'EPIPE');
  closeSync(fd);
});

test('splice() passes on bytes that came before a reset, and then the reset', async () => {
  using near = await tcpPair();
  using far = await tcpPair();
  const moved = splice(near.server, far.client);
  await near.client.sendall(Buffer.from('last words'));
  assert.equal((await receiveExactly(far.server, 10)).toString(), 'last words');
  near.client.options.set('SO_LINGER', { onoff: true, seconds: 0 });
  near.client.close();
  assert.equal((await rejection(moved)).code, 'ECONNRESET');
});

test('splice() holds no descriptors while it waits, and leaves few behind', async () => {
  const count = (): number => readdirSync('/proc/self/fd').length;
  const pairs = await Promise.all(Array.from({ length: 40 }, () => tcpPair()));
  const before = count();
  const moves = pairs.slice(0, 20).map(async (near, i) => {
    const far = pairs[20 + i] as Pair;
    return await splice(near.server, far.client);
  });
  for (let i = 0; i < 20; i++) {
    const near = pairs[i] as Pair;
    await near.client.sendall(content.subarray(0, 100_000));
    await receiveExactly((pairs[20 + i] as Pair).server, 100_000);
  }
  // Four spare pipes, and the poller's own.
  assert.ok(count() - before <= 8 + 3, `${count() - before} more`);
  for (const { client } of pairs.slice(0, 20)) client.close();
  assert.deepEqual(new Set(await Promise.all(moves)), new Set([100_000]));
  for (const pair of pairs) pair[Symbol.dispose]();
});

test('splice() that is aborted with a full pipe closes it', async () => {
  const count = (): number => readdirSync('/proc/self/fd').length;
  const seen: number[] = [];
  for (let round = 0; round < 10; round++) {
    using near = unixPair();
    using far = unixPair();
    far.client.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    far.server.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096);
    const stop = new AbortController();
    const moved = splice(near.server, far.client, { signal: stop.signal });
    near.client.settimeout(0.05);
    await rejection(near.client.sendall(content));
    stop.abort('enough');
    await assert.rejects(moved, (reason) => reason === 'enough');
    seen.push(count());
  }
  assert.ok((seen.at(-1) as number) <= (seen[1] as number), String(seen));
});

for (const direction of ['from', 'to'] as const) {
  test(`splice() ${direction} a pipe that has nothing to do ends when its socket is closed`, async () => {
    using pair = await tcpPair();
    using directory = new TemporaryDirectory();
    const fifo = directory.file('fifo');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, 'r+');
    // A full pipe can't be written, an empty one not be read.
    if (direction === 'to') writeSync(fd, Buffer.alloc(setPipeSize(fd, 4096)));
    const moved = direction === 'to' ? splice(pair.client, fd) : splice(fd, pair.client);
    await new Promise(setImmediate);
    pair.client.close();
    assert.equal((await rejection(moved)).code, 'EBADF');
    closeSync(fd);
  });
}

test('splice() shares a pipe with another: each byte goes to one of the two', async () => {
  using near = await tcpPair();
  using far = unixPair();
  using directory = new TemporaryDirectory();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, 'r+');
  const stop = new AbortController();
  const moves = [near, far].map((pair) => splice(fd, pair.client, { signal: stop.signal }));
  const got: number[] = [];
  const readers = [near, far].map(async ({ server }) => {
    for await (const chunk of server) got.push(...(chunk as Buffer));
  });
  for (let i = 0; i < 100; i++) {
    writeSync(fd, Buffer.from([i]));
    await until(() => got.length === i + 1, 'one of the two has it');
  }
  assert.deepEqual(got, [...Array(100).keys()]);
  stop.abort('enough');
  for (const moved of moves) await assert.rejects(moved, (reason) => reason === 'enough');
  // Nobody waits for it any more: it can be waited for again.
  const again = splice(fd, near.client);
  near.client.close();
  assert.equal((await rejection(again)).code, 'EBADF');
  far.client.close();
  await Promise.all(readers);
  closeSync(fd);
});

test('setPipeSize() rounds up to pages, and tells what is no pipe', () => {
  using directory = new TemporaryDirectory();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, 'r+');
  assert.equal(setPipeSize(fd, 200_000), 262_144);
  assert.throws(() => setPipeSize(fd, 0), RangeError);
  closeSync(fd);
  const file = openSync('/dev/null', 'r');
  assert.throws(() => setPipeSize(file, 4096), { code: 'EBADF', syscall: 'fcntl' });
  closeSync(file);
});

test('splice() refuses what it can not do before any system call', async () => {
  using pair = await tcpPair();
  using datagrams = await udpPair();
  const { client, server } = pair;
  assert.ok((await rejection(splice(datagrams.client, client))) instanceof TypeError);
  assert.ok((await rejection(splice(1, 2))) instanceof TypeError);
  assert.ok((await rejection(splice({} as never, client))) instanceof TypeError);
  assert.ok((await rejection(splice(-1, client))) instanceof RangeError);
  assert.ok(
    (await rejection(splice(client, server, { onMoved: 1 as never }))) instanceof TypeError,
  );
  client.settimeout(0);
  assert.ok((await rejection(splice(client, server))) instanceof TypeError);
  client.settimeout(null);
  const fd = openSync('/dev/null', 'w');
  await server.sendall(Buffer.from('x'));
  assert.equal((await rejection(splice(client, fd))).code, 'EINVAL');
  closeSync(fd);
  server.close();
  assert.equal((await rejection(splice(client, server))).code, 'EBADF');
});

function flagsOf(fd: number): string {
  return /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] as string;
}

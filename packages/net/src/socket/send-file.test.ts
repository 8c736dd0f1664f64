import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { SOCK_DGRAM } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
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
    // By TCP on this host it is read and sent, elsewhere sendfile(2) sends it.
    for (const made of [await tcpPair(), unixPair()]) {
      using pair = made;
      const [sent, got] = await Promise.all([
        pair.client.sendfile(source),
        receiveExactly(pair.server, content.length),
      ]);
      assert.equal(sent, content.length);
      assert.ok(got.equals(content));
    }
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

test('a descriptor that cannot be read is the error of sendfile(2) to a peer on this host, too', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const path = fileOf(directory);
  const writeOnly = openSync(path, 'a');
  const error = await rejection(pair.client.sendfile(writeOnly));
  closeSync(writeOnly);
  assert.ok(error instanceof SocketError && error.syscall === 'sendfile' && error.code === 'EBADF');
});

test('sendfile() of several files at once sends each whole to peers that make it wait', async () => {
  using directory = new TemporaryDirectory();
  const contents = [1, 2, 3].map((byte) => Buffer.alloc(12 * 1024 * 1024 + byte, byte));
  await Promise.all(
    contents.map(async (bytes, i) => {
      using pair = await tcpPair();
      const path = directory.file(`${i}`);
      writeFileSync(path, bytes);
      const sent = pair.client.sendfile(path);
      assert.ok((await receiveExactly(pair.server, bytes.length)).equals(bytes));
      assert.equal(await sent, bytes.length);
    }),
  );
});

/** Makes the kernel forget what it has of a file in memory. */
function evict(path: string): void {
  const program = `import os,sys; fd = os.open(sys.argv[1], os.O_RDWR); os.fsync(fd); os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)`;
  execFileSync('python3', ['-c', program, path]);
}

/** Bytes that a thread, or the whole process, had storage read: proc_pid_io(5). */
function bytesRead(of: string): number {
  return Number(/^read_bytes: (\d+)/m.exec(readFileSync(`/proc/self/${of}`, 'utf8'))?.[1]);
}

const MAIN_THREAD = `task/${process.pid}/io`;

test('sendfile() leaves reading from the disk to the thread pool', async (t) => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const path = fileOf(directory);
  evict(path);
  const [before, main] = [bytesRead('io'), bytesRead(MAIN_THREAD)];
  const [sent, got] = await Promise.all([
    pair.client.sendfile(path),
    receiveExactly(pair.server, content.length),
  ]);
  assert.equal(sent, content.length);
  assert.ok(got.equals(content));
  if (bytesRead('io') === before) t.skip('the file system of the test has no disk');
  else assert.ok(bytesRead(MAIN_THREAD) - main < 64 * 1024, `${bytesRead(MAIN_THREAD) - main}`);
});

test('sendfile() of a file that is not in memory goes before a Sync send after it', async () => {
  using directory = new TemporaryDirectory();
  using pair = unixPair();
  const path = fileOf(directory, content.subarray(0, 100_000));
  evict(path);
  const sent = pair.client.sendfile(path);
  // The file is open and its first read under way.
  await new Promise(setImmediate);
  await open(path).then((handle) => handle.close());
  pair.client.sendallSync(Buffer.from('behind'));
  const got = await receiveExactly(pair.server, 100_006);
  assert.equal(got.subarray(100_000).toString(), 'behind');
  assert.ok(got.subarray(0, 100_000).equals(content.subarray(0, 100_000)));
  assert.equal(await sent, 100_000);
});

test('sendfileSync() sends what a waiting peer takes, in memory or not', async () => {
  using directory = new TemporaryDirectory();
  const path = fileOf(directory, Buffer.from('small'));
  for (const made of [unixPair(), await tcpPair()]) {
    using pair = made;
    assert.equal(pair.client.sendfileSync(path, 1), 4);
    assert.equal((await pair.server.recv(10)).toString(), 'mall');
    evict(path);
    assert.equal(pair.client.sendfileSync(path, 1, 2), 2);
    assert.equal((await pair.server.recv(10)).toString(), 'ma');
  }
});

test('sendfile() reads a pipe, which sendfile(2) does not take', async () => {
  using directory = new TemporaryDirectory();
  using pair = await tcpPair();
  const fifo = directory.file('fifo');
  execFileSync('mkfifo', [fifo]);
  const child = spawn('sh', ['-c', `head -c 300000 /dev/zero > ${fifo}`], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  // Opens when the writer does; a read then waits for it.
  const fd = openSync(fifo, 'r');
  const [sent, received] = await Promise.all([
    pair.client.sendfile(fd),
    receiveExactly(pair.server, 300_000),
  ]);
  assert.deepEqual([sent, received.length], [300_000, 300_000]);
  closeSync(fd);
  await exited;
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

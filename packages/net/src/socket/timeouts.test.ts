import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET, ETIMEDOUT, MSG_WAITALL, SOCK_NONBLOCK, SOCK_STREAM } from '../constants/index.ts';
import { rejection } from '../testing/index.ts';
import { getdefaulttimeout, setdefaulttimeout } from './default-timeout.ts';
import { Socket } from './socket.ts';
import {
  fill,
  listening,
  receiveExactly,
  tcpPair,
  udpPair,
  unixPair,
} from './sockets.test.util.ts';

type Timed = Error & { code: string; errno: number; syscall: string; timeout: number };

test('settimeout() ends a recv() with a TimeoutError that has every field', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(0.02);
  const error = await rejection<Timed>(pair.server.recv(1));
  assert.equal(error.name, 'TimeoutError');
  assert.equal(error.code, 'ETIMEDOUT');
  assert.equal(error.errno, ETIMEDOUT);
  assert.equal(error.syscall, 'recv');
  assert.equal(error.timeout, 0.02);
  assert.match(error.message, /^recv ETIMEDOUT: timed out after 0.02 s/);
});

test('a timeout is never early, in either form', async () => {
  using pair = await tcpPair();
  for (const seconds of [0.001, 0.0105, 0.02, 0.033]) {
    pair.server.settimeout(seconds);
    let started = performance.now();
    await rejection(pair.server.recv(1));
    assert.ok(performance.now() - started >= seconds * 1_000, `async ${seconds}`);
    started = performance.now();
    assert.throws(() => pair.server.recvSync(1), { name: 'TimeoutError' });
    assert.ok(performance.now() - started >= seconds * 1_000, `sync ${seconds}`);
  }
});

test('timeouts of several operations end each on its own time', async () => {
  using pair = await tcpPair();
  const ended: string[] = [];
  const waits = [0.03, 0.01, 0.02].map(async (seconds) => {
    pair.server.settimeout(seconds);
    await rejection(pair.server.recv(1));
    ended.push(String(seconds));
  });
  await Promise.all(waits);
  assert.deepEqual(ended, ['0.01', '0.02', '0.03']);
});

test('accept(), connect(), send(), sendall() and recvfrom() end with a TimeoutError', async () => {
  using listener = listening();
  listener.settimeout(0.01);
  assert.equal((await rejection(listener.accept())).name, 'TimeoutError');
  assert.throws(() => listener.acceptSync(), { name: 'TimeoutError', syscall: 'accept' });
  using pair = unixPair();
  fill(pair.client);
  pair.client.settimeout(0.01);
  assert.equal((await rejection(pair.client.send(Buffer.alloc(1)))).name, 'TimeoutError');
  assert.throws(() => pair.client.sendSync(Buffer.alloc(1)), { name: 'TimeoutError' });
  using datagrams = await udpPair();
  datagrams.server.settimeout(0.01);
  assert.equal((await rejection(datagrams.server.recvfrom(1))).name, 'TimeoutError');
});

test('connect() to a full backlog times out and names the address', async () => {
  using listener = listening(0);
  const address = listener.getsockname();
  // Linux takes one more than the backlog says, and one half-open one.
  const clients = Array.from({ length: 4 }, () => new Socket());
  const results = await Promise.all(
    clients.map((client) => {
      client.settimeout(0.02);
      return client.connect(address).catch((error: unknown) => error);
    }),
  );
  const failed = results.filter((result) => result !== undefined) as (Error & {
    address: unknown;
  })[];
  assert.ok(failed.length > 0);
  for (const error of failed) {
    assert.equal(error.name, 'TimeoutError');
    assert.deepEqual(error.address, address);
  }
  for (const client of clients) client.close();
});

test('sendall() that times out says how many bytes went out', async () => {
  using pair = await tcpPair();
  pair.client.settimeout(0.02);
  const error = await rejection<Error & { bytesSent: number }>(
    pair.client.sendall(Buffer.alloc(32 << 20, 'y')),
  );
  assert.equal(error.name, 'TimeoutError');
  assert.ok(error.bytesSent > 0);
  assert.equal((await receiveExactly(pair.server, error.bytesSent)).length, error.bytesSent);
  pair.server.settimeout(0);
  assert.equal((await rejection(pair.server.recv(1))).code, 'EAGAIN');
});

test('a timeout of recv() loses no bytes', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(0.005);
  await rejection(pair.server.recv(10));
  await rejection(pair.server.recvfrom(10));
  await rejection(pair.server.recvInto(Buffer.alloc(10)));
  await pair.client.sendall(Buffer.from('whole'));
  assert.equal((await receiveExactly(pair.server, 5)).toString(), 'whole');
});

test('what came while the loop was busy beyond the timeout has come in time', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(0.005);
  const pending = pair.server.recv(10);
  pair.client.sendallSync(Buffer.from('there'));
  const busyUntil = performance.now() + 15;
  while (performance.now() < busyUntil);
  assert.equal((await pending).toString(), 'there');
});

test('after a send() that timed out, the next leaves when the peer has made room', async () => {
  using pair = unixPair();
  const filled = fill(pair.client);
  pair.client.settimeout(0.005);
  await rejection(pair.client.send(Buffer.from('lost')));
  // A receive waits, so that room and bytes come with one event.
  pair.client.settimeout(5);
  const receiving = pair.client.recv(10);
  await pair.server.sendall(Buffer.from('drained'));
  const drained = receiveExactly(pair.server, filled);
  assert.equal((await receiving).toString(), 'drained');
  await drained;
  const started = performance.now();
  await pair.client.sendall(Buffer.from('next'));
  assert.equal((await receiveExactly(pair.server, 4)).toString(), 'next');
  assert.ok(performance.now() - started < 250, 'found by the watchdog only');
});

test('after a send() with timeout 0 was refused, sendall() waits for room and goes', async () => {
  using pair = await tcpPair();
  pair.client.settimeout(0);
  let filled = 0;
  for (;;) {
    try {
      filled += await pair.client.send(Buffer.alloc(65_536));
    } catch {
      break;
    }
  }
  pair.client.settimeout(5);
  const sending = pair.client.sendall(Buffer.from('after'));
  const received = await receiveExactly(pair.server, filled + 5);
  assert.equal(received.subarray(filled).toString(), 'after');
  await sending;
});

test('settimeout() counts from the next operation on', async () => {
  using pair = await tcpPair();
  const pending = pair.server.recv(1);
  pair.server.settimeout(0.001);
  await rejection(pair.server.recv(1));
  await pair.client.sendall(Buffer.from('x'));
  assert.equal((await pending).toString(), 'x');
});

test('gettimeout() and getblocking() follow settimeout() and setblocking()', () => {
  using socket = new Socket();
  assert.equal(socket.gettimeout(), null);
  assert.equal(socket.getblocking(), true);
  socket.settimeout(1.5);
  assert.equal(socket.gettimeout(), 1.5);
  assert.equal(socket.getblocking(), true);
  socket.settimeout(0);
  assert.equal(socket.getblocking(), false);
  socket.setblocking(true);
  assert.equal(socket.gettimeout(), null);
  socket.setblocking(false);
  assert.equal(socket.gettimeout(), 0);
  socket.settimeout(Number.POSITIVE_INFINITY);
  assert.equal(socket.gettimeout(), null);
});

test('settimeout() refuses what is no duration', () => {
  using socket = new Socket();
  assert.throws(() => socket.settimeout(-1), RangeError);
  for (const wrong of [Number.NaN, '1', undefined, {}, 1n]) {
    assert.throws(() => socket.settimeout(wrong as never), TypeError);
  }
  assert.equal(socket.gettimeout(), null);
});

test('a timeout longer than a timer can take still waits', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(10_000_000);
  const pending = pair.server.recv(1);
  await pair.client.sendall(Buffer.from('x'));
  assert.equal((await pending).toString(), 'x');
});

test('a new and an accepted socket take the default timeout, not the listener’s', async () => {
  using listener = listening();
  listener.settimeout(3);
  setdefaulttimeout(7);
  try {
    assert.equal(getdefaulttimeout(), 7);
    using client = new Socket();
    assert.equal(client.gettimeout(), 7);
    await client.connect(listener.getsockname());
    const [server] = await listener.accept();
    using _ = server;
    assert.equal(server.gettimeout(), 7);
  } finally {
    setdefaulttimeout(null);
  }
  using plain = new Socket(AF_INET, (SOCK_STREAM as number) | (SOCK_NONBLOCK as number));
  assert.equal(plain.gettimeout(), 0);
  assert.equal(plain.type, SOCK_STREAM);
});

test('a timeout does not end recv() with MSG_WAITALL empty-handed: bytes that came are its result', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('12345'));
  pair.server.settimeout(0.01);
  assert.equal((await pair.server.recv(10, MSG_WAITALL as number)).toString(), '12345');
});

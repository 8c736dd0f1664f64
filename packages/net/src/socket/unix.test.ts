import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import {
  AF_UNIX,
  SO_PASSCRED,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection, TemporaryDirectory } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { receiveAll, receiveExactly, unixPair } from './sockets.test.util.ts';

const python = await needs('python3');
const linux = await needs('linux');

test('a Python client connects to a Unix path', python, async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('socket');
  using listener = new Socket(AF_UNIX);
  listener.bind({ path });
  listener.listen();
  assert.ok(existsSync(path));
  await using peer = new PythonPeer(
    `
    client = socket.socket(socket.AF_UNIX)
    client.connect(args[0])
    client.sendall(b'ping')
    say(client.recv(10).decode())
  `,
    path,
  );
  const [connection, address] = await listener.accept();
  using _ = connection;
  assert.deepEqual(address, { path: '' });
  assert.deepEqual(connection.getsockname(), { path });
  await connection.sendall(await receiveExactly(connection, 4));
  assert.equal(await peer.hear(), 'ping');
});

test('a Python datagram server answers to a Unix path', python, async () => {
  using directory = new TemporaryDirectory();
  await using peer = new PythonPeer(
    `
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(args[0])
    say('bound')
    data, address = server.recvfrom(100)
    server.sendto(data.upper(), address)
  `,
    directory.file('server'),
  );
  await peer.hear();
  using client = new Socket(AF_UNIX, SOCK_DGRAM);
  client.bind({ path: directory.file('client') });
  await client.sendto(Buffer.from('abc'), { path: directory.file('server') });
  const [data, address] = await client.recvfrom(10);
  assert.equal(data.toString(), 'ABC');
  assert.deepEqual(address, { path: directory.file('server') });
});

test('an abstract name, bytes that are not UTF-8, and autobind', linux, () => {
  using named = new Socket(AF_UNIX);
  const name = `\0sockeye-test-${process.pid}`;
  named.bind({ path: name });
  assert.deepEqual(named.getsockname(), { path: name });
  using raw = new Socket(AF_UNIX);
  const bytes = Buffer.from(`\0\xff\xfe${process.pid}`, 'latin1');
  raw.bind({ path: bytes });
  assert.deepEqual(raw.getsockname(), { path: bytes });
  using automatic = new Socket(AF_UNIX);
  automatic.bind({ path: '' });
  // Linux chooses a NUL and five hexadecimal digits (unix(7)).
  assert.match((automatic.getsockname() as { path: string }).path, /^\0[0-9a-f]{5}$/);
});

test('bind() refuses a path that is too long and never cuts it', () => {
  using socket = new Socket(AF_UNIX);
  assert.throws(() => socket.bind({ path: `/tmp/${'x'.repeat(200)}` }));
  assert.deepEqual(socket.getsockname(), { path: '' });
});

test('recv() on a Unix stream goes on after descriptors that cut it short', python, async () => {
  using directory = new TemporaryDirectory();
  using listener = new Socket(AF_UNIX);
  listener.bind({ path: directory.file('socket') });
  listener.listen();
  await using peer = new PythonPeer(
    `
    client = socket.socket(socket.AF_UNIX)
    client.connect(args[0])
    client.sendall(b'greeting')
    hear()
    socket.send_fds(client, [b'a'], [0])
    client.sendall(b'b')
    say('sent')
    hear()
  `,
    directory.file('socket'),
  );
  const [connection] = await listener.accept();
  using _ = connection;
  // Watched from here on: the first receive waits.
  await receiveExactly(connection, 8);
  peer.say('go');
  await peer.hear();
  const started = performance.now();
  // The kernel stops behind 'a', whose descriptor came with it, though 'b' is there.
  assert.equal((await receiveExactly(connection, 2)).toString(), 'ab');
  // Found at once, not by the watchdog's second look.
  assert.ok(performance.now() - started < 250);
});

test(
  'SO_PASSCRED: messages of different writers are received one by one without a wait',
  linux,
  async () => {
    using pair = unixPair();
    pair.server.setsockopt(SOL_SOCKET, SO_PASSCRED, true);
    await pair.client.sendall(Buffer.from('ab'));
    assert.equal((await receiveExactly(pair.server, 2)).toString(), 'ab');
  },
);

test('SOCK_SEQPACKET keeps messages apart, and iteration ends at its end', linux, async () => {
  using pair = unixPair(SOCK_SEQPACKET);
  await pair.client.send(Buffer.from('one'));
  await pair.client.send(Buffer.from('three'));
  pair.client.close();
  const seen: string[] = [];
  for await (const item of pair.server) seen.push((item as Buffer).toString());
  assert.deepEqual(seen, ['one', 'three']);
});

test('connect() waits for room in a full backlog, and succeeds when there is', async () => {
  using directory = new TemporaryDirectory();
  using listener = new Socket(AF_UNIX, SOCK_STREAM);
  listener.bind({ path: directory.file('socket') });
  listener.listen(0);
  using first = new Socket(AF_UNIX);
  await first.connect({ path: directory.file('socket') });
  using second = new Socket(AF_UNIX);
  const waiting = second.connect({ path: directory.file('socket') });
  using third = new Socket(AF_UNIX);
  third.settimeout(0);
  assert.equal((await rejection(third.connect({ path: directory.file('socket') }))).code, 'EAGAIN');
  using blocked = new Socket(AF_UNIX);
  blocked.settimeout(0.03);
  assert.throws(() => blocked.connectSync({ path: directory.file('socket') }), {
    name: 'TimeoutError',
  });
  (await listener.accept())[0].close();
  await waiting;
  (await listener.accept())[0].close();
  assert.equal((await receiveAll(second)).length, 0);
});

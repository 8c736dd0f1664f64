import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { countDescriptors, rejection } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { fill, listening, receiveExactly, tcpPair, unixPair } from './sockets.test.util.ts';

test('close() rejects every pending operation with EBADF and says why', async () => {
  using pair = unixPair();
  using listener = listening();
  fill(pair.client);
  const pending = [
    rejection(pair.client.recv(1)),
    rejection(pair.client.recvInto(Buffer.alloc(1))),
    rejection(pair.client.send(Buffer.alloc(1))),
    rejection(pair.client.sendall(Buffer.alloc(1))),
    rejection(listener.accept()),
  ];
  pair.client.close();
  listener.close();
  for (const error of await Promise.all(pending)) {
    assert.equal(error.code, 'EBADF');
    assert.match(error.message, /the socket was closed while the operation waited/);
  }
});

test('close() is idempotent; afterwards every operation is refused with EBADF of its own name', async () => {
  const socket = new Socket();
  socket.close();
  socket.close();
  assert.equal(socket.closed, true);
  assert.equal(socket.fileno(), -1);
  const calls: [string, Promise<unknown>][] = [
    ['recv', socket.recv(1)],
    ['recv', socket.recv(0)],
    ['recv', socket.recvInto(Buffer.alloc(0))],
    ['recvfrom', socket.recvfrom(1)],
    ['send', socket.send(Buffer.alloc(1))],
    ['sendall', socket.sendall(Buffer.alloc(1))],
    ['sendto', socket.sendto(Buffer.alloc(1), { host: '127.0.0.1', port: 9 })],
    ['accept', socket.accept()],
    ['connect', socket.connect({ host: '127.0.0.1', port: 9 })],
  ];
  for (const [syscall, call] of calls) {
    const error = await rejection<Error & { code: string; syscall: string }>(call);
    assert.equal(error.code, 'EBADF', syscall);
    assert.equal(error.syscall, syscall);
  }
  for (const call of [
    () => socket.recvSync(1),
    () => socket.sendSync(Buffer.alloc(1)),
    () => socket.sendallSync(Buffer.alloc(1)),
    () => socket.acceptSync(),
    () => socket.connectSync({ host: '127.0.0.1', port: 9 }),
    () => socket.getsockname(),
    () => socket.listen(),
    () => socket.bind({ host: '', port: 0 }),
    () => socket.shutdown(0),
    () => socket.getsockopt(1, 1),
  ]) {
    assert.throws(call, { code: 'EBADF' });
  }
});

test('an operation that waited before and one that waits after close() both end', async () => {
  using pair = await tcpPair();
  const before = rejection(pair.server.recv(1));
  pair.server.close();
  assert.equal((await before).code, 'EBADF');
  const after = await rejection<Error & { syscall: string }>(pair.server.recv(1));
  assert.equal(after.syscall, 'recv');
});

test('a reused number never gets the old socket’s events or bytes', async () => {
  for (let i = 0; i < 50; i++) {
    using pair = await tcpPair();
    const old = rejection(pair.server.recv(100));
    pair.client.sendallSync(Buffer.from('for the old one'));
    const number = pair.server.fileno();
    pair.server.close();
    using next = await tcpPair();
    assert.ok(
      [next.client.fileno(), next.server.fileno()].includes(number),
      'the number was reused',
    );
    const fresh = [next.server.recv(100), next.client.recv(100)];
    await next.client.sendall(Buffer.from('new'));
    await next.server.sendall(Buffer.from('new'));
    for (const data of await Promise.all(fresh)) assert.equal(data.toString(), 'new');
    assert.equal((await old).code, 'EBADF');
  }
});

test('close() reports EBADF when the number was closed elsewhere, and counts as closed', () => {
  const socket = new Socket();
  closeSync(socket.fileno());
  assert.throws(() => socket.close(), { code: 'EBADF', syscall: 'close' });
  assert.equal(socket.closed, true);
  socket.close();
});

test('bind() on a number that was closed elsewhere fails with EBADF of bind', () => {
  const socket = new Socket();
  closeSync(socket.fileno());
  const address = { host: '127.0.0.1', port: 0 };
  assert.throws(() => socket.bind(address), { code: 'EBADF', syscall: 'bind' });
  assert.throws(() => socket.close(), { code: 'EBADF' });
});

test('a pending recv() whose number is closed elsewhere rejects with EBADF within a second', async () => {
  const pair = await tcpPair();
  const pending = rejection(pair.server.recv(1));
  closeSync(pair.server.fileno());
  const started = performance.now();
  assert.equal((await pending).code, 'EBADF');
  assert.ok(performance.now() - started < 1_500);
  assert.throws(() => pair.server.close(), { code: 'EBADF' });
  pair.client.close();
});

test('1,000 connect–echo–close cycles leave no descriptor open', async () => {
  using listener = listening();
  // The poller's own descriptors are opened by the first operation that waits.
  const before = await (async () => {
    using pair = await tcpPair();
    void pair;
    return countDescriptors('');
  })();
  const echo = async (): Promise<void> => {
    const [connection] = await listener.accept();
    await connection.sendall(await connection.recv(64));
    connection.close();
  };
  for (let i = 0; i < 50; i++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        using client = new Socket();
        const [,] = await Promise.all([
          echo(),
          client.connect(listener.getsockname()).then(async () => {
            await client.sendall(Buffer.from('echo'));
            assert.equal((await receiveExactly(client, 4)).toString(), 'echo');
          }),
        ]);
      }),
    );
  }
  // The first pair is still counted in `before`, the listener in both.
  assert.equal(countDescriptors('') - before, -2);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MSG_WAITALL, SO_LINGER, SOL_SOCKET } from '../constants/index.ts';
import { rejection, turns } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { fill, listening, receiveExactly, tcpPair, unixPair } from './sockets.test.util.ts';

test('a signal ends every method that waits with its reason', async () => {
  using pair = unixPair();
  using listener = listening();
  fill(pair.client);
  const methods: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => pair.server.recv(1, 0, { signal }),
    (signal) => listener.accept({ signal }),
    (signal) => pair.client.send(Buffer.alloc(1), 0, { signal }),
    (signal) => pair.client.sendall(Buffer.alloc(1), 0, { signal }),
  ];
  // The server has unread bytes: its own receives are tried on the client.
  methods[0] = (signal) => pair.client.recv(1, 0, { signal });
  methods.push(
    (signal) => pair.client.recvInto(Buffer.alloc(1), 0, 0, { signal }),
    (signal) => pair.client.recvfrom(1, 0, { signal }),
    (signal) => pair.client.recvfromInto(Buffer.alloc(1), 0, 0, { signal }),
  );
  for (const method of methods) {
    const controller = new AbortController();
    const pending = rejection(method(controller.signal));
    await turns();
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(await pending, reason);
  }
});

test('a signal that is aborted already rejects at once and moves nothing', async () => {
  using pair = await tcpPair();
  const signal = AbortSignal.abort();
  assert.equal(
    (await rejection(pair.client.sendall(Buffer.from('x'), 0, { signal }))).name,
    'AbortError',
  );
  assert.equal((await rejection(pair.client.recv(1, 0, { signal }))).name, 'AbortError');
  using fresh = new Socket();
  assert.equal(
    (await rejection(fresh.connect({ host: 'localhost', port: 1 }, { signal }))).name,
    'AbortError',
  );
  await pair.client.sendall(Buffer.from('y'));
  assert.equal((await pair.server.recv(10)).toString(), 'y');
});

test('an abort of recv() loses no bytes, whenever it comes', async () => {
  using pair = await tcpPair();
  const expected: string[] = [];
  const received: string[] = [];
  for (let i = 0; i < 100; i++) {
    const controller = new AbortController();
    const receiving = pair.server.recv(100, 0, { signal: controller.signal });
    const text = `${i};`;
    expected.push(text);
    await pair.client.sendall(Buffer.from(text));
    // The bytes are in the kernel, on their way, or received by now.
    await turns(i % 3);
    controller.abort();
    await receiving.then(
      (data) => received.push(data.toString()),
      (reason: Error) => assert.equal(reason.name, 'AbortError'),
    );
  }
  const missing = expected.join('').length - received.join('').length;
  if (missing > 0) received.push((await receiveExactly(pair.server, missing)).toString());
  assert.equal(received.join(''), expected.join(''));
});

test('an abort in the middle of the queue leaves the others their order', async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const first = pair.server.recv(1);
  const second = rejection(pair.server.recv(1, 0, { signal: controller.signal }));
  const third = pair.server.recv(1);
  controller.abort();
  assert.equal((await second).name, 'AbortError');
  await pair.client.sendall(Buffer.from('13'));
  assert.equal((await first).toString(), '1');
  assert.equal((await third).toString(), '3');
});

test('an abort of the first lets the second receive with its own size', async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const first = rejection(pair.server.recv(1, 0, { signal: controller.signal }));
  const second = pair.server.recv(3);
  controller.abort();
  await first;
  await pair.client.sendall(Buffer.from('abcd'));
  assert.equal((await second).toString(), 'abc');
});

test('an abort of recv() with MSG_WAITALL gives the part that came', async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const { signal } = controller;
  const pending = pair.server.recv(10, MSG_WAITALL, { signal });
  await pair.client.sendall(Buffer.from('half'));
  await turns(3);
  controller.abort();
  assert.equal((await pending).toString(), 'half');
});

test('recv() with MSG_WAITALL gives what came before a reset, and then the reset', async () => {
  using pair = await tcpPair();
  const pending = pair.server.recv(10, MSG_WAITALL);
  await pair.client.sendall(Buffer.from('half'));
  await turns(3);
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
  pair.client.close();
  assert.equal((await pending).toString(), 'half');
  assert.equal((await rejection(pair.server.recv(1))).code, 'ECONNRESET');
});

test('an aborted sendall() says how many bytes went out, and a frozen reason is left alone', async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const { signal } = controller;
  const first = rejection<Error & { bytesSent: number }>(
    pair.client.sendall(Buffer.alloc(32 << 20), 0, { signal }),
  );
  await turns(3);
  controller.abort(new Error('stop'));
  const { bytesSent } = await first;
  assert.ok(bytesSent > 0 && bytesSent < 32 << 20);
  const reason = Object.freeze(new Error('frozen'));
  const other = new AbortController();
  const second = rejection(pair.client.sendall(Buffer.alloc(1), 0, { signal: other.signal }));
  other.abort(reason);
  assert.equal(await second, reason);
  assert.equal((await receiveExactly(pair.server, bytesSent)).length, bytesSent);
});

test('one signal may end many operations without a warning about leaks', async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listener);
  const controller = new AbortController();
  const { signal } = controller;
  using pair = await tcpPair();
  const pending = Array.from({ length: 50 }, () => rejection(pair.server.recv(1, 0, { signal })));
  controller.abort();
  for (const reason of await Promise.all(pending)) assert.equal(reason.name, 'AbortError');
  await turns(2);
  process.off('warning', listener);
  assert.deepEqual(warnings, []);
});

test('connect() that was aborted leaves the socket free to be closed', async () => {
  using listener = listening(0);
  const clients = Array.from({ length: 4 }, () => new Socket());
  const controller = new AbortController();
  const { signal } = controller;
  const results = clients.map((client) =>
    client.connect(listener.getsockname(), { signal }).catch((error: Error) => error.name),
  );
  await turns(5);
  controller.abort();
  assert.ok((await Promise.all(results)).includes('AbortError'));
  for (const client of clients) client.close();
});

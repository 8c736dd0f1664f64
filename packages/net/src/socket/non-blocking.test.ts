import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EINPROGRESS, MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK } from '../constants/index.ts';
import { needs, rejection, turns } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { fill, listening, receiveExactly, tcpPair, unixPair } from './sockets.test.util.ts';

test('with timeout 0 what would wait rejects with EAGAIN, in both forms', async () => {
  using pair = unixPair();
  using listener = listening();
  fill(pair.client);
  pair.client.settimeout(0);
  listener.settimeout(0);
  const chunk = Buffer.alloc(65_536);
  for (const call of [
    () => pair.client.recv(1),
    () => pair.client.recvInto(Buffer.alloc(1)),
    () => pair.client.recvfrom(1),
    () => pair.client.send(chunk),
    () => pair.client.sendall(chunk),
    () => listener.accept(),
  ] as (() => Promise<unknown>)[]) {
    const error = await rejection<Error & { code: string; syscall: string }>(call());
    assert.equal(error.code, 'EAGAIN', error.syscall);
    assert.equal(error.name, 'SocketError');
  }
  for (const call of [
    () => pair.client.recvSync(1),
    () => pair.client.sendSync(chunk),
    () => pair.client.sendallSync(chunk),
    () => listener.acceptSync(),
  ]) {
    assert.throws(call, { code: 'EAGAIN' });
  }
});

test('with timeout 0 and another operation pending, Sync rejects with EAGAIN, not a timeout', async () => {
  using pair = await tcpPair();
  const waiting = pair.server.recv(1);
  pair.server.settimeout(0);
  assert.throws(() => pair.server.recvSync(1), { code: 'EAGAIN' });
  assert.throws(() => pair.server.recvSync(1, MSG_DONTWAIT), { code: 'EAGAIN' });
  await pair.client.sendall(Buffer.from('x'));
  assert.equal((await waiting).toString(), 'x');
});

test('with timeout 0 what is there is received at once, after an EAGAIN too', async () => {
  using pair = unixPair();
  pair.server.settimeout(0);
  for (let i = 0; i < 3; i++) {
    assert.equal((await rejection(pair.server.recv(10))).code, 'EAGAIN');
    pair.client.sendSync(Buffer.from(`${i}`));
    assert.equal((await pair.server.recv(10)).toString(), `${i}`);
  }
});

test('sendall() with timeout 0 sends what the kernel takes and says how much that was', async () => {
  using pair = await tcpPair();
  pair.client.settimeout(0);
  const data = Buffer.alloc(64 << 20);
  const error = await rejection<Error & { code: string; bytesSent: number }>(
    pair.client.sendall(data),
  );
  assert.equal(error.code, 'EAGAIN');
  // More than a turn's budget, which is for those that can wait.
  assert.ok(error.bytesSent > 256 * 1024, `${error.bytesSent}`);
  assert.equal((await receiveExactly(pair.server, error.bytesSent)).length, error.bytesSent);
});

test('sendallSync() with timeout 0 has bytesSent too', async () => {
  using pair = await tcpPair();
  pair.client.settimeout(0);
  let sent = -1;
  try {
    pair.client.sendallSync(Buffer.alloc(64 << 20));
  } catch (error) {
    sent = (error as { bytesSent: number }).bytesSent;
  }
  assert.ok(sent > 256 * 1024);
});

test('MSG_DONTWAIT does not wait at any timeout, and leaves later operations alone', async () => {
  using pair = unixPair();
  pair.server.settimeout(5);
  assert.equal((await rejection(pair.server.recv(1, MSG_DONTWAIT as number))).code, 'EAGAIN');
  assert.throws(() => pair.server.recvSync(1, MSG_DONTWAIT), { code: 'EAGAIN' });
  const filled = fill(pair.client);
  const refused = pair.client.send(Buffer.alloc(65_536), MSG_DONTWAIT);
  assert.equal((await rejection(refused)).code, 'EAGAIN');
  const sending = pair.client.sendall(Buffer.from('end'));
  assert.equal((await receiveExactly(pair.server, filled + 3)).subarray(filled).toString(), 'end');
  await sending;
});

test('MSG_PEEK leaves the bytes for the next receive', async () => {
  using pair = await tcpPair();
  const peeking = pair.server.recv(10, MSG_PEEK);
  await pair.client.sendall(Buffer.from('look'));
  assert.equal((await peeking).toString(), 'look');
  assert.equal((await pair.server.recv(10)).toString(), 'look');
});

test(
  'MSG_ERRQUEUE looks at the error queue past a receive that waits',
  await needs('linux'),
  async () => {
    using pair = await tcpPair();
    const waiting = pair.server.recv(10);
    assert.equal((await rejection(pair.server.recv(10, MSG_ERRQUEUE as number))).code, 'EAGAIN');
    await pair.client.sendall(Buffer.from('x'));
    assert.equal((await waiting).toString(), 'x');
  },
);

test('connectEx() with timeout 0 gives EINPROGRESS; the socket is usable when it is connected', async () => {
  using listener = listening();
  using client = new Socket();
  client.settimeout(0);
  assert.equal(await client.connectEx(listener.getsockname()), EINPROGRESS);
  const [server] = await listener.accept();
  using _ = server;
  client.settimeout(5);
  await client.sendall(Buffer.from('connected'));
  assert.equal((await server.recv(100)).toString(), 'connected');
});

test('connect() with timeout 0 rejects with EAGAIN; a send() after it waits for the connection', async () => {
  using listener = listening();
  using client = new Socket();
  client.settimeout(0);
  assert.equal((await rejection(client.connect(listener.getsockname()))).code, 'EAGAIN');
  client.settimeout(5);
  const sending = client.send(Buffer.from('x'));
  const [server] = await listener.accept();
  using _ = server;
  assert.equal(await sending, 1);
  assert.equal((await server.recv(1)).toString(), 'x');
});

test('a socket with timeout 0 can poll its receives in a loop with others having their turn', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(0);
  await pair.client.sendall(Buffer.from('found'));
  let data: Buffer | undefined;
  while (data === undefined) {
    data = await pair.server.recv(10).catch(() => undefined);
    await turns();
  }
  assert.equal(data.toString(), 'found');
});

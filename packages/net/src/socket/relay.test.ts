import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SO_SNDBUF, SOCK_SEQPACKET, SOL_SOCKET } from '../constants/index.ts';
import type { SocketError } from '../errors/index.ts';
import { rejection } from '../testing/index.ts';
import { receiveExactly, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';
import { relay } from './relay.ts';

const content = randomBytes(5 * 1024 * 1024 + 17);

test('relay() brings every byte through a target with little room, and lets others in between', async () => {
  using near = await tcpPair();
  using far = unixPair();
  far.client.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  const moved = relay(near.server, far.client);
  void near.client.sendall(content).then(() => near.client.close());
  const head = await receiveExactly(far.server, 1000);
  const marker = far.client.sendall(Buffer.from('<marker>'));
  const rest = await receiveExactly(far.server, content.length - 1000 + 8);
  await marker;
  assert.equal(await moved, content.length);
  const at = rest.indexOf('<marker>');
  assert.ok(at >= 0);
  const whole = Buffer.concat([head, rest.subarray(0, at), rest.subarray(at + 8)]);
  assert.ok(whole.equals(content));
});

test('relay() keeps the messages of SOCK_SEQPACKET, also where the target has no room', async () => {
  using near = unixPair(SOCK_SEQPACKET);
  using far = unixPair(SOCK_SEQPACKET);
  const moved = relay(near.server, far.client);
  const sizes = Array.from({ length: 300 }, (_, i) => 1 + ((i * 7919) % 60_000));
  const sent = (async () => {
    for (const size of sizes) await near.client.send(content.subarray(0, size));
    near.client.close();
  })();
  for (const size of sizes) {
    const message = await far.server.recv(100_000);
    assert.ok(message.equals(content.subarray(0, size)), `${message.length} instead of ${size}`);
  }
  await sent;
  assert.equal(
    await moved,
    sizes.reduce((sum, size) => sum + size),
  );
});

test('relay() takes little from a source whose target is slow, and ends with the signal', async () => {
  using near = unixPair();
  using far = unixPair();
  const stop = new AbortController();
  const moved = relay(near.server, far.client, { signal: stop.signal });
  near.client.settimeout(0.3);
  const error = await rejection<Error & { bytesSent: number }>(
    near.client.sendall(Buffer.alloc(64 * 1024 * 1024)),
  );
  assert.ok(error.bytesSent < 1024 * 1024, `${error.bytesSent} bytes were taken`);
  stop.abort(new Error('enough'));
  assert.equal((await rejection(moved)).message, 'enough');
});

test('relay() passes on bytes that came before a reset, and then the reset', async () => {
  using near = await tcpPair();
  using far = await tcpPair();
  await near.client.sendall(Buffer.from('last words'));
  const moved = relay(near.server, far.client);
  assert.equal((await receiveExactly(far.server, 10)).toString(), 'last words');
  near.client.options.set('SO_LINGER', { onoff: true, seconds: 0 });
  near.client.close();
  const error = await rejection<SocketError>(moved);
  assert.deepEqual([error.code, error.syscall], ['ECONNRESET', 'recv']);
});

test('relay() fails as the target does, and ends when either is closed', async () => {
  using near = await tcpPair();
  using far = unixPair();
  const moved = relay(near.server, far.client);
  far.server.close();
  await near.client.sendall(Buffer.from('x'));
  const error = await rejection<SocketError>(moved);
  assert.deepEqual([error.code, error.syscall], ['EPIPE', 'send']);

  using other = unixPair();
  const waiting = relay(near.server, other.client);
  near.server.close();
  assert.equal((await rejection(waiting)).code, 'EBADF');
});

test('relay() refuses what it can not do before any system call', async () => {
  using pair = await tcpPair();
  using datagrams = await udpPair();
  const { client, server } = pair;
  assert.ok((await rejection(relay(datagrams.client, client))) instanceof TypeError);
  assert.ok((await rejection(relay(client, 1 as never))) instanceof TypeError);
  assert.ok((await rejection(relay(client, server, { onMoved: 1 as never }))) instanceof TypeError);
  client.settimeout(0);
  assert.ok((await rejection(relay(client, server))) instanceof TypeError);
});

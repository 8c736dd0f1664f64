import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, SHUT_WR } from '../constants/index.ts';
import { rejection } from '../testing/index.ts';
import { fill, listening, tcpPair, unixPair } from './sockets.test.util.ts';
import { Socket } from './socket.ts';

test('poll() says what holds now, and transfers nothing', async () => {
  using pair = unixPair();
  assert.equal(await pair.client.poll(POLLIN | POLLOUT), POLLOUT);
  await pair.server.send(Buffer.from('x'));
  assert.equal(await pair.client.poll(POLLIN | POLLOUT), POLLIN | POLLOUT);
  assert.equal(pair.client.pollSync(POLLIN), POLLIN);
  assert.equal((await pair.client.recv(5)).toString(), 'x');
});

test('poll() waits for bytes, for a connection, for room, and for the end', async () => {
  using pair = unixPair();
  const readable = pair.client.poll(POLLIN);
  await pair.server.sendall(Buffer.from('x'));
  assert.equal(await readable, POLLIN);

  using listener = listening();
  const connected = listener.poll(POLLIN);
  using client = new Socket();
  await client.connect(listener.getsockname());
  assert.equal(await connected, POLLIN);

  using full = unixPair();
  const bytes = fill(full.client);
  const room = full.client.poll(POLLOUT);
  for (let left = bytes; left > 0; ) left -= (await full.server.recv(left)).length;
  assert.equal(await room, POLLOUT);

  const ended = pair.client.poll(POLLRDHUP);
  pair.server.shutdown(SHUT_WR);
  assert.equal(await ended, POLLRDHUP);
});

test('poll() tells POLLHUP and POLLERR unasked', async () => {
  using pair = unixPair();
  pair.server.close();
  const events = await pair.client.poll(0);
  assert.notEqual(events & (POLLHUP | POLLERR), 0);
});

test('several polls and a receive wait at the same time', async () => {
  using pair = await tcpPair();
  const waits = [pair.client.poll(POLLIN), pair.client.poll(POLLIN | POLLRDHUP)];
  await pair.server.sendall(Buffer.from('x'));
  assert.deepEqual(await Promise.all(waits), [POLLIN, POLLIN]);
});

test('poll() obeys the timeout, the signal and close()', async () => {
  using pair = await tcpPair();
  pair.client.settimeout(0.05);
  assert.equal((await rejection(pair.client.poll(POLLIN))).name, 'TimeoutError');
  assert.throws(() => pair.client.pollSync(POLLIN), { name: 'TimeoutError' });
  pair.client.settimeout(0);
  assert.equal((await rejection(pair.client.poll(POLLIN))).code, 'EAGAIN');
  pair.client.settimeout(null);
  const controller = new AbortController();
  const aborted = pair.client.poll(POLLIN, { signal: controller.signal });
  controller.abort(new Error('enough'));
  assert.equal((await rejection(aborted)).message, 'enough');
  const closed = pair.client.poll(POLLIN);
  pair.client.close();
  assert.equal((await rejection(closed)).code, 'EBADF');
  assert.equal((await rejection(pair.client.poll(POLLIN))).code, 'EBADF');
  assert.ok((await rejection(pair.server.poll('in' as never))) instanceof TypeError);
});

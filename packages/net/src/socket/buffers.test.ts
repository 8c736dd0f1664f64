import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET, MSG_WAITALL, SOCK_DGRAM } from '../constants/index.ts';
import { rejection, turns } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { fill, LOOPBACK, receiveExactly, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';

/** A Uint8Array over memory that the test can take away. */
function movable(size: number): { view: Uint8Array; detach: () => void } {
  const view = new Uint8Array(size).fill(7);
  return { view, detach: () => void structuredClone(view.buffer, { transfer: [view.buffer] }) };
}

/** A Uint8Array over memory that the test can shrink. ES2024 is not in the lib yet. */
function resizable(size: number, maxByteLength: number) {
  const buffer = new (
    ArrayBuffer as unknown as new (
      size: number,
      options: object,
    ) => ArrayBuffer & { resize(size: number): void }
  )(size, { maxByteLength });
  return { buffer, view: new Uint8Array(buffer) };
}

test('recvInto() whose buffer is detached while it waits rejects and goes on with the next', async () => {
  using pair = await tcpPair();
  const { view, detach } = movable(10);
  const pending = rejection(pair.server.recvInto(view));
  const next = pair.server.recv(10);
  detach();
  await pair.client.sendall(Buffer.from('gone'));
  const error = await pending;
  assert.equal(error.code, 'ERR_OUT_OF_RANGE');
  assert.match(error.message, /detached or shrunk/);
  await pair.client.sendall(Buffer.from('next'));
  assert.equal((await next).toString(), 'next');
});

test('recvfromInto() whose buffer is detached while it waits rejects', async () => {
  using pair = await udpPair();
  const { view, detach } = movable(10);
  const pending = rejection(pair.server.recvfromInto(view));
  detach();
  await pair.client.send(Buffer.from('x'));
  assert.match((await pending).message, /detached or shrunk/);
});

test('recvInto() whose buffer shrinks while it waits rejects and writes nothing behind its end', async () => {
  using pair = await tcpPair();
  const { buffer, view } = resizable(16, 32);
  const pending = rejection(pair.server.recvInto(view));
  buffer.resize(2);
  await pair.client.sendall(Buffer.from('0123456789'));
  assert.match((await pending).message, /detached or shrunk/);
  buffer.resize(16);
  assert.deepEqual(
    [...view],
    Array.from({ length: 16 }, () => 0),
  );
});

test('a buffer that grows while recvInto() waits is filled as far as it was', async () => {
  using pair = await tcpPair();
  const { buffer, view } = resizable(2, 32);
  const pending = pair.server.recvInto(view);
  buffer.resize(32);
  await pair.client.sendall(Buffer.from('0123'));
  assert.equal(await pending, 2);
  assert.equal((await pair.server.recv(10)).toString(), '23');
});

test('sendall() whose buffer is detached in the same turn rejects and sends nothing of it', async () => {
  using pair = await tcpPair();
  const { view, detach } = movable(10);
  const before = pair.client.sendall(Buffer.from('before,'));
  const pending = rejection<Error & { bytesSent: number }>(pair.client.sendall(view));
  const after = pair.client.sendall(Buffer.from('after'));
  detach();
  const error = await pending;
  assert.match(error.message, /detached or shrunk/);
  assert.equal(error.bytesSent, 0);
  await Promise.all([before, after]);
  assert.equal((await receiveExactly(pair.server, 12)).toString(), 'before,after');
});

test('send(), sendto() and sendall() whose buffers are taken away while they wait reject', async () => {
  using pair = unixPair();
  fill(pair.client);
  const first = movable(10);
  const second = movable(100_000);
  const pending = [
    rejection(pair.client.send(first.view)),
    rejection(pair.client.sendall(second.view)),
  ];
  await turns(2);
  first.detach();
  second.detach();
  const reading = (async () => {
    try {
      for (;;) await pair.server.recv(65_536);
    } catch {
      // closed below
    }
  })();
  for (const error of await Promise.all(pending)) assert.match(error.message, /detached or shrunk/);
  pair.server.close();
  await reading;
});

test('a buffer that grows in the same turn is sent as long as it was', async () => {
  using pair = await tcpPair();
  const { buffer, view } = resizable(3, 32);
  const sending = pair.client.sendall(view);
  buffer.resize(32);
  await sending;
  await pair.client.sendall(Buffer.from('end'));
  assert.equal((await receiveExactly(pair.server, 6)).toString('latin1'), '\0\0\0end');
});

test('memory that is shared is refused before any system call', async () => {
  using pair = await tcpPair();
  using datagram = new Socket(AF_INET, SOCK_DGRAM);
  datagram.bind(LOOPBACK);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  for (const call of [
    () => pair.client.sendall(shared),
    () => pair.client.send(shared),
    () => pair.client.recvInto(shared),
    () => pair.client.recvfromInto(shared),
    () => datagram.sendto(shared, datagram.getsockname()),
  ] as (() => Promise<unknown>)[]) {
    const error = await rejection(call());
    assert.equal(error.name, 'TypeError');
    assert.match(error.message, /shared/);
  }
  assert.throws(() => pair.client.sendallSync(shared), TypeError);
  assert.throws(() => pair.client.recvIntoSync(shared), TypeError);
});

test('recv() gives a Buffer of its own, which the next receive leaves alone', async () => {
  using pair = await tcpPair();
  const sizes = [10, 70_000];
  for (const size of sizes) {
    const first = pair.server.recv(size);
    await pair.client.sendall(Buffer.from('aaaa'));
    const kept = await first;
    await pair.client.sendall(Buffer.from('bbbb'));
    assert.equal((await pair.server.recv(size)).toString(), 'bbbb');
    assert.equal(kept.toString(), 'aaaa');
  }
});

test('an empty buffer is sent and received without a wait', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(new Uint8Array(0));
  assert.equal(await pair.client.send(new Uint8Array(0)), 0);
  assert.equal(await pair.server.recvInto(new Uint8Array(0)), 0);
  assert.equal((await pair.server.recv(0)).length, 0);
  assert.equal(pair.server.recvSync(0).length, 0);
});

test('a receive of nothing waits for nobody: not after a short one, nor behind one that waits', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('x'));
  assert.equal((await pair.server.recv(100)).length, 1);
  const waiting = pair.server.recv(100);
  assert.equal((await pair.server.recv(0)).length, 0);
  assert.equal(await pair.server.recvInto(new Uint8Array(0)), 0);
  assert.equal((await pair.server.recv(0, MSG_WAITALL as number)).length, 0);
  assert.equal(await pair.server.recvInto(new Uint8Array(0), 0, MSG_WAITALL as number), 0);
  await pair.client.sendall(Buffer.from('yz'));
  assert.equal((await waiting).toString(), 'yz');
  assert.equal((await pair.server.recv(0)).length, 0);
});

test('recvInto() fills the part of memory that the view shows, and no more', async () => {
  using pair = await tcpPair();
  const memory = new Uint8Array(10);
  await pair.client.sendall(Buffer.from('abcdef'));
  assert.equal(await pair.server.recvInto(memory.subarray(2, 8), 4), 4);
  assert.deepEqual([...memory], [0, 0, 97, 98, 99, 100, 0, 0, 0, 0]);
});

test('recv() of more than 64 KiB gives what is there', async () => {
  using pair = await tcpPair();
  const waiting = pair.server.recv(1 << 20);
  await pair.client.sendall(Buffer.alloc(100_000, 'q'));
  let received = (await waiting).length;
  while (received < 100_000) received += (await pair.server.recv(0x7fffffff)).length;
  assert.equal(received, 100_000);
});

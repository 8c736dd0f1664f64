import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET, MSG_TRUNC, SO_BROADCAST, SOCK_DGRAM, SOL_SOCKET } from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, udpPair } from './sockets.test.util.ts';

const python = await needs('python3');

function udp(): Socket {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.bind(LOOPBACK);
  return socket;
}

test('sendto() and recvfrom() exchange datagrams with Python', python, async () => {
  using socket = udp();
  await using peer = new PythonPeer(
    `
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    s.sendto(b'hello', ('127.0.0.1', args[0]))
    data, address = s.recvfrom(100)
    say([data.decode(), address, s.getsockname()])
  `,
    socket.getsockname().port,
  );
  const [data, address] = await socket.recvfrom(100);
  assert.equal(data.toString(), 'hello');
  assert.ok(address !== null);
  assert.equal(await socket.sendto(Buffer.from('你好'), address), 6);
  const [text, from, own] = await peer.hear<[string, unknown, unknown]>();
  assert.equal(text, '你好');
  assert.deepEqual(from, ['127.0.0.1', socket.getsockname().port]);
  assert.deepEqual(own, [address.host, address.port]);
});

test('recvfrom() keeps messages apart, empty ones too', async () => {
  using pair = await udpPair();
  for (const text of ['one', '', 'three']) await pair.client.send(Buffer.from(text));
  const received = [];
  for (let i = 0; i < 3; i++) received.push((await pair.server.recvfrom(100))[0].toString());
  assert.deepEqual(received, ['one', '', 'three']);
});

test('sendall() on datagrams is one message a call, however many wait in a turn', async () => {
  using pair = await udpPair();
  await Promise.all(['a', 'b', 'c'].map((text) => pair.client.sendall(Buffer.from(text))));
  for (const text of ['a', 'b', 'c']) assert.equal((await pair.server.recv(10)).toString(), text);
});

test('recv() cuts a longer datagram; MSG_TRUNC with recvInto() tells its length', async () => {
  using pair = await udpPair();
  await pair.client.send(Buffer.from('0123456789'));
  await pair.client.send(Buffer.from('0123456789'));
  assert.equal((await pair.server.recv(4)).toString(), '0123');
  assert.equal(await pair.server.recvInto(Buffer.alloc(4), 4, MSG_TRUNC as number), 10);
  pair.server.settimeout(0);
  assert.equal((await rejection(pair.server.recv(4))).code, 'EAGAIN');
});

test('recv() with MSG_TRUNC gives no more bytes than were asked for', async () => {
  using pair = await udpPair();
  await pair.client.send(Buffer.from('0123456789'));
  assert.equal((await pair.server.recv(4, MSG_TRUNC as number)).toString(), '0123');
});

test('recvfromInto() fills the buffer and gives the sender', async () => {
  using pair = await udpPair();
  const buffer = Buffer.alloc(8);
  await pair.client.send(Buffer.from('abc'));
  assert.deepEqual(await pair.server.recvfromInto(buffer), [3, pair.client.getsockname()]);
  assert.equal(buffer.toString('latin1', 0, 3), 'abc');
});

test('a connected datagram socket learns of a closed port: ECONNREFUSED, then goes on', async () => {
  using pair = await udpPair();
  const address = pair.server.getsockname();
  pair.server.close();
  const pending = rejection(pair.client.recv(10));
  await pair.client.send(Buffer.from('x'));
  assert.equal((await pending).code, 'ECONNREFUSED');
  using again = new Socket(AF_INET, SOCK_DGRAM);
  again.bind(address);
  await again.sendto(Buffer.from('back'), pair.client.getsockname());
  assert.equal((await pair.client.recv(10)).toString(), 'back');
});

test('sendto() rejects a message that is too long with EMSGSIZE', async () => {
  using socket = udp();
  const error = await rejection<Error & { code: string; address: unknown }>(
    socket.sendto(Buffer.alloc(70_000), socket.getsockname()),
  );
  assert.equal(error.code, 'EMSGSIZE');
  assert.deepEqual(error.address, socket.getsockname());
});

test('sendto() to a broadcast address needs SO_BROADCAST', async () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  const error = await rejection(socket.sendto(Buffer.alloc(1), { host: '<broadcast>', port: 9 }));
  assert.equal(error.code, 'EACCES');
  socket.setsockopt(SOL_SOCKET, SO_BROADCAST, true);
  assert.equal(socket.getsockopt(SOL_SOCKET as number, SO_BROADCAST as number), 1);
});

test('sendto() resolves a host name', async () => {
  using socket = udp();
  await socket.sendto(Buffer.from('n'), { host: 'localhost', port: socket.getsockname().port });
  assert.equal((await socket.recv(1)).toString(), 'n');
});

test('for await on a datagram socket yields messages with their senders until close()', async () => {
  using pair = await udpPair();
  for (const text of ['1', '2', '3']) await pair.client.send(Buffer.from(text));
  const seen: unknown[] = [];
  for await (const item of pair.server) {
    const [data, address] = item as [Buffer, unknown];
    seen.push([data.toString(), address]);
    if (seen.length === 3) pair.server.close();
  }
  const address = pair.client.getsockname();
  assert.deepEqual(seen, [
    ['1', address],
    ['2', address],
    ['3', address],
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_UDP,
  MSG_PEEK,
  MSG_TRUNC,
  POLLIN,
  SOCK_DGRAM,
  UDP_GRO,
} from '../constants/index.ts';
import { rejection } from '../testing/index.ts';
import { engine } from './engine.ts';
import type { ReceivedDatagram } from './receive-batch.ts';
import { descriptorOf, Socket } from './socket.ts';
import { LOOPBACK, udpPair } from './sockets.test.util.ts';

type Item = [Buffer, unknown];
const texts = (count: number, from = 0): { data: Buffer }[] =>
  Array.from({ length: count }, (_, i) => ({ data: Buffer.from(`datagram ${from + i}`) }));

/** The first datagram of a loop that is left at once; what came with it waits. */
async function first(socket: Socket): Promise<string> {
  for await (const [data] of socket as AsyncIterable<Item>) return data.toString();
  throw new Error('the loop ended');
}

test('a loop that is left hands what it has received ahead to the next receives, in order', async () => {
  using pair = await udpPair();
  const { client, server } = pair;
  const address = client.getsockname();
  assert.equal(await client.sendmmsg(texts(12)), 12);
  assert.equal(await first(server), 'datagram 0');
  assert.deepEqual(await server.recvfrom(100), [Buffer.from('datagram 1'), address]);
  assert.deepEqual(await server.recv(4), Buffer.from('data'));
  assert.deepEqual(await server.recv(100, MSG_PEEK), Buffer.from('datagram 3'));
  assert.equal(await server.recvInto(Buffer.alloc(4), 4, MSG_TRUNC as number), 10);
  const message = await server.recvmsg(4, 64);
  assert.deepEqual(message, {
    data: Buffer.from('data'),
    ancillary: [],
    flags: MSG_TRUNC,
    address,
  });
  const parts = [Buffer.alloc(4), Buffer.alloc(20)];
  const { bytes, flags } = await server.recvmsgInto(parts);
  assert.deepEqual(
    [bytes, flags, Buffer.concat(parts).toString('latin1', 0, 10)],
    [10, 0, 'datagram 5'],
  );
  const [cut, whole] = await server.recvmmsg(2, 9);
  assert.deepEqual(
    [cut?.data.toString(), cut?.flags, cut?.address],
    ['datagram ', MSG_TRUNC, address],
  );
  assert.equal(whole?.flags, MSG_TRUNC);
  const [placed] = await server.recvmmsgInto(Buffer.alloc(100), 100);
  assert.equal(placed?.data.toString(), 'datagram 8');
  assert.equal(await first(server), 'datagram 9');
  assert.equal(server.recvSync(100).toString(), 'datagram 10');
  assert.deepEqual(server.recvfromSync(100), [Buffer.from('datagram 11'), address]);
  server.settimeout(0);
  assert.equal((await rejection(server.recv(1))).code, 'EAGAIN');
});

test('poll() finds a socket readable while datagrams wait that were received ahead', async () => {
  using pair = await udpPair();
  await pair.client.sendmmsg(texts(2));
  await first(pair.server);
  assert.equal(await pair.server.poll(POLLIN), POLLIN);
  assert.equal(pair.server.pollSync(POLLIN), POLLIN);
  await pair.server.recv(100);
  pair.server.settimeout(0);
  assert.equal((await rejection(pair.server.poll(POLLIN))).code, 'EAGAIN');
});

test('steps of a loop and receives that wait together complete in the order of their calls', async () => {
  using pair = await udpPair();
  const steps = pair.server[Symbol.asyncIterator]();
  const waiting = [
    steps.next().then(({ value }) => (value as Item)[0]),
    pair.server.recv(100),
    steps.next().then(({ value }) => (value as Item)[0]),
    pair.server.recvfrom(100).then(([data]) => data),
  ];
  await pair.client.sendmmsg(texts(5));
  const later = pair.server.recv(100);
  const got = await Promise.all([...waiting, later]);
  assert.deepEqual(
    got.map((data) => data.toString()),
    texts(5).map(({ data }) => data.toString()),
  );
});

test('a loop over more datagrams than one call receives gets every one, in order', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(1, 33, 4 << 20);
  const total = 1000;
  let sent = 0;
  while (sent < total) sent += await pair.client.sendmmsg(texts(total - sent, sent));
  let at = 0;
  for await (const [data] of pair.server as AsyncIterable<Item>) {
    assert.equal(data.toString(), `datagram ${at}`);
    if (++at === total) break;
  }
  await pair.client.send(Buffer.from('after it'));
  assert.equal((await pair.server.recv(100)).toString(), 'after it');
});

test('a loop gets datagrams apart that UDP_GRO has joined, empty and large ones too', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(IPPROTO_UDP, UDP_GRO, true);
  const messages = [
    ...Array.from({ length: 9 }, (_, i) => ({ data: Buffer.alloc(1000, i) })),
    { data: Buffer.alloc(300, 9) },
    { data: Buffer.alloc(0) },
    { data: Buffer.alloc(60_000, 'x') },
    { data: Buffer.from('end') },
  ];
  assert.equal(await pair.client.sendmmsg(messages), messages.length);
  const got: Buffer[] = [];
  for await (const [data] of pair.server as AsyncIterable<Item>) {
    got.push(data);
    if (got.length === messages.length) break;
  }
  assert.deepEqual(
    got,
    messages.map(({ data }) => data),
  );
});

test('a loop that is left amid what UDP_GRO has joined leaves the rest apart, and MSG_PEEK takes none', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(IPPROTO_UDP, UDP_GRO, true);
  const sent = Array.from({ length: 8 }, (_, i) => Buffer.alloc(1000, `${i}`));
  assert.equal(await pair.client.sendmmsg(sent.map((data) => ({ data }))), sent.length);
  const peers: unknown[] = [];
  const got: Buffer[] = [];
  for await (const [data, from] of pair.server as AsyncIterable<Item>) {
    got.push(data);
    peers.push(from);
    if (got.length === 2) break;
  }
  assert.notEqual(peers[0], peers[1]);
  assert.deepEqual(peers[0], peers[1]);
  const peeked = await pair.server.recvmmsg(3, 2000, MSG_PEEK);
  assert.deepEqual(
    peeked.map(({ data }) => data),
    sent.slice(2, 5),
  );
  assert.deepEqual(await pair.server.recv(2000, MSG_PEEK as number), sent[2]);
  const [three] = await pair.server.recvmmsg(1, 100);
  assert.deepEqual([three?.data, three?.flags], [sent[2]?.subarray(0, 100), MSG_TRUNC]);
  const rest = await pair.server.recvmmsg(10, 2000);
  got.push(sent[2] as Buffer, ...rest.map(({ data }) => data));
  while (got.length < sent.length) got.push(await pair.server.recv(2000));
  assert.deepEqual(got, sent);
});

test('who transfers the memory of what UDP_GRO has joined is told once, and receives on', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(IPPROTO_UDP, UDP_GRO, true);
  const sent = Array.from({ length: 8 }, (_, i) => Buffer.alloc(1000, `${i}`));
  assert.equal(await pair.client.sendmmsg(sent.map((data) => ({ data }))), sent.length);
  await assert.rejects(
    async () => {
      for await (const [{ buffer }] of pair.server as AsyncIterable<Item>) {
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
      }
    },
    { code: 'ERR_INVALID_STATE' },
  );
  await pair.client.send(Buffer.from('later'));
  assert.equal((await pair.server.recv(10)).toString(), 'later');
});

test('a loop over an AF_INET6 socket tells each sender', async () => {
  using server = new Socket(AF_INET6, SOCK_DGRAM);
  using client = new Socket(AF_INET6, SOCK_DGRAM);
  for (const socket of [server, client]) socket.bind({ host: '::1', port: 0 });
  const address = server.getsockname();
  await client.sendmmsg(texts(3).map(({ data }) => ({ data, address })));
  const senders: unknown[] = [];
  for await (const [, sender] of server as AsyncIterable<Item>) {
    if (senders.push(sender) === 3) break;
  }
  assert.deepEqual(
    senders,
    Array.from({ length: 3 }, () => client.getsockname()),
  );
});

test('what comes while a loop hands out what it received ahead is not waited for', async () => {
  using pair = await udpPair();
  const { client, server } = pair;
  const descriptor = descriptorOf(server);
  const steps = server[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String(((await steps.next()).value as Item)[0]);
  const { lostEvents } = engine;
  const parked = next();
  await client.sendmmsg(texts(3));
  assert.equal(await parked, 'datagram 0');
  const { eventCount } = descriptor;
  await client.sendmmsg(texts(1, 3));
  while (descriptor.eventCount === eventCount) await setImmediate();
  for (const i of [1, 2, 3]) assert.equal(await next(), `datagram ${i}`);
  assert.equal(engine.lostEvents, lostEvents);
});

test('a loop outlives an error of its socket between two datagrams', async () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  using peer = new Socket(AF_INET, SOCK_DGRAM);
  for (const each of [socket, peer]) each.bind({ host: '127.0.0.1', port: 0 });
  const gone = new Socket(AF_INET, SOCK_DGRAM);
  gone.bind({ host: '127.0.0.1', port: 0 });
  await socket.connect(gone.getsockname());
  gone.close();
  await socket.send(Buffer.from('to nobody'));
  assert.equal((await rejection(first(socket))).code, 'ECONNREFUSED');
  await socket.connect(peer.getsockname());
  await peer.sendto(Buffer.from('hello'), socket.getsockname());
  assert.equal(await first(socket), 'hello');
});

test('close() ends a loop although datagrams wait that were received ahead', async () => {
  using pair = await udpPair();
  await pair.client.sendmmsg(texts(5));
  let count = 0;
  for await (const item of pair.server) {
    assert.ok(item);
    count++;
    pair.server.close();
  }
  assert.equal(count, 1);
});

test('recvmmsgInto() gives views of the buffer, again and again', async () => {
  using pair = await udpPair();
  const buffer = new Uint8Array(8 * 16);
  for (const count of [3, 8, 2]) {
    await pair.client.sendmmsg(texts(count, count));
    const got = await pair.server.recvmmsgInto(buffer, 16);
    assert.deepEqual(
      got.map(({ data }) => data.toString()),
      texts(count, count).map(({ data }) => data.toString()),
    );
    assert.ok(
      got.every(({ data }, i) => data.buffer === buffer.buffer && data.byteOffset === i * 16),
    );
    assert.deepEqual(got[0]?.address, pair.client.getsockname());
  }
});

test('recvmmsgInto() gives the message of before again only where nothing but the bytes differ', async () => {
  using receiver = new Socket(AF_INET, SOCK_DGRAM);
  using sender = new Socket(AF_INET, SOCK_DGRAM);
  using other = new Socket(AF_INET, SOCK_DGRAM);
  for (const socket of [receiver, sender, other]) socket.bind(LOOPBACK);
  const buffer = new Uint8Array(4 * 16);
  const receive = async (text: string, size: number, from = sender): Promise<ReceivedDatagram> => {
    await from.sendto(Buffer.from(text), receiver.getsockname());
    const [message] = await receiver.recvmmsgInto(buffer, size);
    assert.ok(message);
    assert.equal(message.data.toString(), text.slice(0, size));
    assert.equal(message.flags, text.length > size ? MSG_TRUNC : 0);
    assert.deepEqual(message.address, from.getsockname());
    return message;
  };
  const one = await receive('one', 16);
  assert.equal(await receive('two', 16), one);
  assert.notEqual(await receive('three', 16), one);
  const cut = await receive('three', 4);
  assert.equal(await receive('seven', 4), cut);
  await receive('four', 4);
  await receive('five', 4, other);
  await receive('nine', 4);
});

test('recvmmsgInto() that got all there was finds what came next, and an error', async () => {
  using pair = await udpPair();
  const buffer = new Uint8Array(8 * 16);
  for (let i = 0; i < 20; i++) {
    await pair.client.sendmmsg(texts(2, i));
    assert.equal((await pair.server.recvmmsgInto(buffer, 16)).length, 2);
  }
  pair.server.settimeout(10);
  const waiting = pair.server.recvmmsgInto(buffer, 16);
  await pair.client.send(Buffer.from('late'));
  assert.equal((await waiting)[0]?.data.toString(), 'late');
  pair.client.close();
  await pair.server.send(Buffer.from('nobody'));
  const error = await rejection(pair.server.recvmmsgInto(buffer, 16));
  assert.equal(error.code, 'ECONNREFUSED');
});

test('recvmmsgInto() takes no more than fit, and refuses a buffer without room for one', async () => {
  using pair = await udpPair();
  await pair.client.sendmmsg(texts(5));
  assert.equal((await pair.server.recvmmsgInto(Buffer.alloc(35), 16)).length, 2);
  assert.equal(pair.server.recvmmsgIntoSync(Buffer.alloc(64), 16).length, 3);
  for (const [buffer, size] of [
    [Buffer.alloc(15), 16],
    [Buffer.alloc(15), 0],
    [Buffer.alloc(0), 1],
  ] as const) {
    assert.ok((await rejection(pair.server.recvmmsgInto(buffer, size))) instanceof RangeError);
  }
  const wrong = pair.server.recvmmsgInto('text' as never, 1);
  assert.ok((await rejection(wrong)) instanceof TypeError);
  const detached = Buffer.from(new ArrayBuffer(64));
  const waiting = pair.server.recvmmsgInto(detached, 16);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  await pair.client.send(Buffer.from('x'));
  assert.ok((await rejection(waiting)) instanceof RangeError);
  assert.equal((await pair.server.recv(10)).toString(), 'x');
});

test('sendmmsg() echoes what recvmmsgInto() received, wherever it lies', async () => {
  using pair = await udpPair();
  await pair.client.sendmmsg(texts(20));
  const got = await pair.server.recvmmsgInto(Buffer.alloc(64 * 100), 100);
  assert.equal(await pair.server.sendmmsg(got), 20);
  const elsewhere = got.map(({ data, address }, i) => ({
    data: i % 2 === 0 ? data : Buffer.from(data),
    address,
  }));
  assert.equal(await pair.server.sendmmsg(elsewhere), 20);
  for (let i = 0; i < 40; i++) {
    assert.equal((await pair.client.recv(100)).toString(), `datagram ${i % 20}`);
  }
});

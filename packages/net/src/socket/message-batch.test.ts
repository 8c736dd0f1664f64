import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AF_INET,
  IPPROTO_UDP,
  MSG_TRUNC,
  SOCK_DGRAM,
  UDP_CORK,
  UDP_GRO,
  UDP_SEGMENT,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';

const numbered = (count: number, size = 100): { data: Buffer }[] =>
  Array.from({ length: count }, (_, i) => ({ data: Buffer.alloc(size, i) }));

test('sendmmsg() and recvmmsg() carry many datagrams, each by itself', async () => {
  using pair = await udpPair();
  const messages = [
    ...numbered(20),
    { data: Buffer.from('short') },
    { data: Buffer.alloc(0) },
    ...numbered(3, 7),
  ];
  assert.equal(await pair.client.sendmmsg(messages), messages.length);
  const got = await pair.server.recvmmsg(64, 2048);
  assert.deepEqual(
    got.map(({ data }) => data),
    messages.map(({ data }) => data),
  );
  assert.deepEqual(got[0]?.address, pair.client.getsockname());
});

test('sendmmsg() sends to the address of each message', async () => {
  using sender = new Socket(AF_INET, SOCK_DGRAM);
  const receivers = [0, 1, 2].map(() => new Socket(AF_INET, SOCK_DGRAM));
  for (const receiver of receivers) receiver.bind(LOOPBACK);
  const messages = [0, 1, 2, 1, 0].map((i) => ({
    data: Buffer.from(`to ${i}`),
    address: (receivers[i] as Socket).getsockname(),
  }));
  assert.equal(await sender.sendmmsg(messages), 5);
  const counts = await Promise.all(receivers.map((receiver) => receiver.recvmmsg(10, 100)));
  assert.deepEqual(
    counts.map((got) => got.map(({ data }) => data.toString())),
    [['to 0', 'to 0'], ['to 1', 'to 1'], ['to 2']],
  );
  for (const receiver of receivers) receiver.close();
});

test('recvmmsg() takes what waits, at most count, and waits for the first', async () => {
  using pair = await udpPair();
  const waiting = pair.server.recvmmsg(64, 100);
  await pair.client.send(Buffer.from('first'));
  assert.deepEqual(
    (await waiting).map(({ data }) => data.toString()),
    ['first'],
  );
  await pair.client.sendmmsg(numbered(5));
  assert.equal((await pair.server.recvmmsg(2, 100)).length, 2);
  assert.equal(pair.server.recvmmsgSync(64, 100).length, 3);
});

test('recvmmsg() with room for the longest gives many at once, the others after them', async () => {
  using pair = await udpPair();
  for (const size of [65_535, 1024 * 1024]) {
    const messages = numbered(64);
    assert.equal(await pair.client.sendmmsg(messages), 64);
    const got: Buffer[] = [];
    while (got.length < 64) {
      got.push(...(await pair.server.recvmmsg(64, size)).map(({ data }) => data));
    }
    assert.deepEqual(
      got,
      messages.map(({ data }) => data),
    );
  }
});

test('recvmmsg() marks a datagram that was cut with MSG_TRUNC', async () => {
  using pair = await udpPair();
  await pair.client.sendmmsg([{ data: Buffer.from('0123456789') }, { data: Buffer.from('ok') }]);
  const got = await pair.server.recvmmsg(4, 4);
  assert.deepEqual(
    got.map(({ data, flags }) => [data.toString(), flags & MSG_TRUNC]),
    [
      ['0123', MSG_TRUNC],
      ['ok', 0],
    ],
  );
});

test('recvmmsg() with UDP_GRO says how long the datagrams are that came joined', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(IPPROTO_UDP, UDP_GRO, 1);
  const messages = [...numbered(9, 1000), { data: Buffer.alloc(300, 9) }];
  assert.equal(await pair.client.sendmmsg(messages), 10);
  const apart: Buffer[] = [];
  while (apart.length < 10) {
    for (const { data, segmentSize = data.length } of await pair.server.recvmmsg(8, 65_536)) {
      for (let at = 0; at < data.length; at += segmentSize) {
        apart.push(data.subarray(at, at + segmentSize));
      }
    }
  }
  assert.deepEqual(
    apart,
    messages.map(({ data }) => data),
  );
});

test(
  'sendmmsg() segments reach Python as the datagrams they are',
  await needs('python3'),
  async () => {
    await using peer = new PythonPeer(`
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind(('127.0.0.1', 0))
    say(s.getsockname()[1])
    say([len(s.recv(65536)) for _ in range(100)])
  `);
    const address = { host: '127.0.0.1', port: await peer.hear<number>() };
    using sender = new Socket(AF_INET, SOCK_DGRAM);
    const sizes = Array.from({ length: 100 }, (_, i) => (i % 10 === 9 ? 77 : 1200));
    const messages = sizes.map((size) => ({ data: Buffer.alloc(size), address }));
    assert.equal(await sender.sendmmsg(messages), 100);
    assert.deepEqual(await peer.hear(), sizes);
  },
);

test('sendmmsg() larger than one segmented send can be goes out all the same', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(1, 33, 4 << 20);
  // Fragmented by IP: a segment must fit the path, so the kernel refuses to cut these.
  const messages = numbered(3, 65_507);
  assert.equal(await pair.client.sendmmsg(messages), 3);
  for (const { data } of messages) assert.deepEqual(await pair.server.recv(70_000), data);
});

test('sendmmsg() on a socket with UDP_SEGMENT cuts each message as it would alone', async () => {
  using pair = await udpPair();
  pair.client.setsockopt(IPPROTO_UDP, UDP_SEGMENT, 100);
  assert.equal(await pair.client.sendmmsg(numbered(10, 250)), 10);
  const got = await pair.server.recvmmsg(64, 2048);
  assert.deepEqual(
    got.map(({ data }) => [data.length, data[0]]),
    numbered(10).flatMap((_, i) => [100, 100, 50].map((size) => [size, i])),
  );
});

test('sendmmsg() on a socket with UDP_CORK adds to the one datagram', async () => {
  using pair = await udpPair();
  pair.client.setsockopt(IPPROTO_UDP, UDP_CORK, 1);
  assert.equal(await pair.client.sendmmsg(numbered(10)), 10);
  pair.client.setsockopt(IPPROTO_UDP, UDP_CORK, 0);
  assert.deepEqual(
    await pair.server.recv(2048),
    Buffer.concat(numbered(10).map(({ data }) => data)),
  );
});

test('sendmmsg() works on Unix datagrams and carries ancillary data', async () => {
  using pair = unixPair(SOCK_DGRAM);
  const rights = Buffer.from(new Int32Array([pair.client.fileno()]).buffer);
  const messages = [
    { data: Buffer.from('a') },
    { data: Buffer.from('b'), ancillary: [{ level: 1, type: 1, data: rights }] },
    { data: Buffer.from('c') },
  ];
  assert.equal(await pair.client.sendmmsg(messages), 3);
  assert.equal((await pair.server.recv(1)).toString(), 'a');
  const { data, ancillary } = await pair.server.recvmsg(1, 64);
  assert.deepEqual([data.toString(), ancillary.length], ['b', 1]);
  new Socket<number>(undefined, undefined, undefined, {
    fd: ancillary[0]?.data.readInt32LE(),
  }).close();
  assert.equal((await pair.server.recv(1)).toString(), 'c');
});

test('sendmmsg() says how many messages went when there is no room for more', async () => {
  using pair = unixPair(SOCK_DGRAM);
  pair.client.settimeout(0);
  const sent = await pair.client.sendmmsg(numbered(2000, 1000));
  assert.ok(sent > 0 && sent < 2000, `${sent}`);
  assert.equal((await rejection(pair.client.sendmmsg(numbered(1)))).code, 'EAGAIN');
  for (let i = 0; i < sent; i++) assert.equal(pair.server.recvSync(1000)[0], i & 255);
});

test('sendmmsg() and recvmmsg() refuse wrong arguments', async () => {
  using pair = await tcpPair();
  for (const messages of ['x', [1], [{ data: 'text' }], [{}]]) {
    assert.ok((await rejection(pair.client.sendmmsg(messages as never))) instanceof TypeError);
  }
  for (const [count, size] of [
    [0, 1],
    [-1, 1],
    [1, -1],
    [1, 2 ** 40],
  ] as const) {
    assert.ok((await rejection(pair.client.recvmmsg(count, size))) instanceof RangeError);
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_UDP,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
  UDP_GRO,
  UDP_SEGMENT,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, udpPair, unixPair } from './sockets.test.util.ts';

const ROUNDS = 40;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function numbered(count: number, size = 100): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc(size, i));
}

/** Room for a handful of datagrams: of 40 some wait. */
function crowded(socket: Pick<Socket<number>, 'setsockopt'>): void {
  socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 1);
}

async function received(socket: Pick<Socket, 'recv'>, count: number): Promise<Buffer[]> {
  const got: Buffer[] = [];
  while (got.length < count) got.push(await socket.recv(4096));
  return got;
}

test('a long run of one turn leaves as one segmented send', async () => {
  using pair = await udpPair();
  pair.server.setsockopt(IPPROTO_UDP, UDP_GRO, true);
  const messages = [...numbered(20), Buffer.from('shorter'), ...numbered(3, 50)];
  const counts = await Promise.all(messages.map((data) => pair.client.send(data)));
  assert.deepEqual(
    counts,
    messages.map(({ length }) => length),
  );
  const got = await pair.server.recvmmsg(64, 65_535);
  // The first has left at once, 20 follow as one, and three are too few.
  assert.deepEqual(
    got.map(({ data, segmentSize }) => [data.length, segmentSize]),
    [
      [100, undefined],
      [1907, 100],
      [50, undefined],
      [50, undefined],
      [50, undefined],
    ],
  );
  assert.deepEqual(Buffer.concat(got.map(({ data }) => data)), Buffer.concat(messages));
});

test('a socket with UDP_SEGMENT cuts each of them as it would alone', async () => {
  using pair = await udpPair();
  pair.client.setsockopt(IPPROTO_UDP, UDP_SEGMENT, 100);
  await Promise.all(numbered(10, 200).map((data) => pair.client.send(data)));
  const got = await received(pair.server, 20);
  assert.deepEqual(
    got,
    numbered(10).flatMap((data) => [data, data]),
  );
});

test('what the caller does to the buffer after the call changes nothing', async () => {
  using pair = unixPair(SOCK_DGRAM);
  crowded(pair.client);
  const buffer = Buffer.alloc(1);
  const sends = Array.from({ length: 40 }, (_, i) => {
    buffer[0] = i;
    return pair.client.send(buffer);
  });
  buffer[0] = 99;
  assert.deepEqual(
    (await received(pair.server, 40)).map(([byte]) => byte),
    Array.from({ length: 40 }, (_, i) => i),
  );
  assert.deepEqual(new Set(await Promise.all(sends)), new Set([1]));
});

test('one that fails fails alone', async () => {
  using sender = new Socket(AF_INET, SOCK_DGRAM);
  using receiver = new Socket(AF_INET, SOCK_DGRAM);
  receiver.bind(LOOPBACK);
  const good = receiver.getsockname();
  const everybody = { host: '255.255.255.255', port: good.port };
  const targets = [good, good, everybody, good, everybody, ...Array(12).fill(good)];
  const results = await Promise.allSettled(
    targets.map((address, i) => sender.sendto(Buffer.from([i]), address)),
  );
  results.forEach((result, i) => {
    if (targets[i] === good) assert.deepEqual(result, { status: 'fulfilled', value: 1 });
    else {
      assert.equal(result.status, 'rejected');
      assert.equal(result.reason.code, 'EACCES');
      assert.equal(result.reason.syscall, 'sendto');
      assert.deepEqual(result.reason.address, everybody);
    }
  });
  const got = (await received(receiver, 15)).map(([byte]) => byte);
  assert.deepEqual(got, [0, 1, 3, ...Array.from({ length: 12 }, (_, i) => i + 5)]);
});

test('the error of a refused datagram is that of the next, as one by one', async () => {
  const outcomes = async (together: boolean): Promise<unknown[]> => {
    using gone = new Socket(AF_INET, SOCK_DGRAM);
    gone.bind(LOOPBACK);
    using client = new Socket(AF_INET, SOCK_DGRAM);
    await client.connect(gone.getsockname());
    gone.close();
    const codes: unknown[] = [];
    const send = (): Promise<unknown> =>
      client.send(Buffer.from('x')).catch((error: { code: string }) => error.code);
    if (together) codes.push(...(await Promise.all([1, 2, 3, 4, 5].map(send))));
    else for (let i = 0; i < 5; i++) codes.push(await send());
    return codes;
  };
  const alone = await outcomes(false);
  assert.ok(alone.includes('ECONNREFUSED'));
  assert.deepEqual(await outcomes(true), alone);
});

test('wrong arguments reject before anything is sent', async () => {
  using pair = await udpPair();
  const sends = [
    pair.client.send(Buffer.from('a')),
    pair.client.send(Buffer.from('b')),
    pair.client.send('c' as never),
    pair.client.sendto(Buffer.from('d'), { host: '127.0.0.1', port: -1 }),
  ];
  const results = await Promise.allSettled(sends);
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? result.reason.name : result.value)),
    [1, 1, 'TypeError', 'RangeError'],
  );
  assert.equal((await received(pair.server, 2)).join(''), 'ab');
});

test('an abort takes a datagram back that has not left', async () => {
  using pair = await udpPair();
  const controller = new AbortController();
  const { signal } = controller;
  const first = pair.client.send(Buffer.from('a'));
  const second = rejection(pair.client.send(Buffer.from('b'), 0, { signal }));
  const third = pair.client.send(Buffer.from('c'));
  controller.abort(new Error('taken back'));
  await Promise.all([first, third]);
  assert.equal((await second).message, 'taken back');
  assert.equal((await received(pair.server, 2)).join(''), 'ac');
});

test('a timeout ends those that found no room', async () => {
  using pair = unixPair(SOCK_DGRAM);
  crowded(pair.client);
  pair.client.settimeout(0.05);
  const results = await Promise.allSettled(numbered(40, 10).map((data) => pair.client.send(data)));
  const sent = results.filter(({ status }) => status === 'fulfilled').length;
  const late = results.slice(sent);
  assert.ok(sent > 0 && late.length > 0);
  for (const result of late) {
    assert.equal(result.status, 'rejected');
    assert.equal(result.reason.name, 'TimeoutError');
  }
  assert.deepEqual(await received(pair.server, sent), numbered(40, 10).slice(0, sent));
});

test('close() sends what the turn has queued, and rejects what found no room', async () => {
  using pair = unixPair(SOCK_DGRAM);
  crowded(pair.client);
  const sends = numbered(40, 10).map((data) => pair.client.send(data));
  pair.client.close();
  const results = await Promise.allSettled(sends);
  const sent = results.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(sent > 1 && sent < 40);
  for (const result of results.slice(sent)) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'EBADF');
  }
  assert.deepEqual(await received(pair.server, sent), numbered(40, 10).slice(0, sent));
});

test('the order holds with other sends between them', async () => {
  using pair = await udpPair();
  const { client } = pair;
  const text = (value: string): Buffer => Buffer.from(value);
  const long = Buffer.alloc(3000, 'L');
  const sends = [
    client.send(text('1')),
    client.send(text('2')),
    client.send(text('3')),
    client.sendmsg([text('4')]),
    client.send(text('5')),
    client.send(text('6')),
    client.send(long),
    client.send(text('7')),
    client.sendmmsg([{ data: text('8') }]),
    client.send(text('9')),
    client.sendall(text('10')),
    client.send(text('11')),
  ];
  client.sendSync(text('12'));
  sends.push(client.send(text('13')));
  await Promise.all(sends);
  const got = (await received(pair.server, 14)).map((data) => data.toString());
  const head = ['1', '2', '3', '4', '5', '6', long.toString(), '7', '8', '9', '10', '11'];
  assert.deepEqual(got, [...head, '12', '13']);
});

test('a blocking receive first sends what another socket has queued', async () => {
  using pair = await udpPair();
  const sends = ['a', 'b'].map((value) => pair.client.send(Buffer.from(value)));
  pair.server.settimeout(5);
  assert.equal(pair.server.recvSync(10).toString(), 'a');
  assert.equal(pair.server.recvSync(10).toString(), 'b');
  await Promise.all(sends);
});

test('Python gets each datagram of a turn', await needs('python3'), async () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  await using peer = new PythonPeer(`
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    say(s.getsockname()[1])
    say([len(s.recv(4096)) for _ in range(100)])
  `);
  const address = { host: '127.0.0.1', port: await peer.hear<number>() };
  const sizes = Array.from({ length: 100 }, (_, i) => (i < 50 ? 700 : i));
  await Promise.all(sizes.map((size) => socket.sendto(Buffer.alloc(size), address)));
  assert.deepEqual(await peer.hear(), sizes);
});

// Sends of random sizes to random receivers, with and without waits between them: every receiver
// gets its own in their order, as it would one by one.
async function compare(
  sender: Pick<Socket<number>, 'sendto'>,
  receivers: { socket: Pick<Socket, 'recv'>; address: never }[],
): Promise<void> {
  const random = (below: number): number => Math.floor(Math.random() * below);
  for (let round = 0; round < ROUNDS; round++) {
    const expected: Buffer[][] = receivers.map(() => []);
    const sends: Promise<number>[] = [];
    const sizes: number[] = [];
    for (let left = 1 + random(80); left > 0; ) {
      const to = random(receivers.length);
      const size = [0, 1, 64, 64, 1200, 2048, 2049][random(7)] as number;
      for (let run = 1 + random(20); run > 0 && left > 0; run--, left--) {
        const data = Buffer.alloc(random(5) > 0 ? size : random(size + 1), random(256));
        expected[to]?.push(Buffer.from(data));
        sizes.push(data.length);
        sends.push(sender.sendto(data, (receivers[to] as (typeof receivers)[0]).address));
        if (data.length <= 2048) data.fill(0);
      }
      if (random(4) === 0) await tick();
    }
    const got = await Promise.all(
      receivers.map(({ socket }, i) => received(socket, expected[i]?.length ?? 0)),
    );
    assert.deepEqual(got, expected);
    assert.deepEqual(await Promise.all(sends), sizes);
  }
}

for (const [family, host] of [
  [AF_INET, '127.0.0.1'],
  [AF_INET6, '::1'],
] as const) {
  const requirements = family === AF_INET ? [] : (['ipv6'] as const);
  test(`UDP to ${host}: together as one by one`, await needs(...requirements), async () => {
    using sender = new Socket(family, SOCK_DGRAM);
    const receivers = [0, 1, 2].map(() => {
      const socket = new Socket(family, SOCK_DGRAM);
      socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 4 << 20);
      socket.bind({ host, port: 0 });
      return { socket, address: socket.getsockname() as never };
    });
    await compare(sender, receivers);
    for (const { socket } of receivers) socket.close();
  });
}

test('Unix datagrams: together as one by one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sockeye-'));
  using sender = new Socket(AF_UNIX, SOCK_DGRAM);
  crowded(sender);
  const receivers = [0, 1, 2].map((i) => {
    const socket = new Socket(AF_UNIX, SOCK_DGRAM);
    const address = { path: join(directory, `${i}`) } as never;
    socket.bind(address);
    return { socket, address };
  });
  await compare(sender, receivers);
  for (const { socket } of receivers) socket.close();
  rmSync(directory, { recursive: true });
});

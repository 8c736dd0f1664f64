import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_UNIX, IPPROTO_TCP, MSG_DONTWAIT, SOCK_DGRAM, TCP_NODELAY } from '../constants/index.ts';
import { needs, PythonPeer, rejection, TemporaryDirectory, turns } from '../testing/index.ts';
import { Socket } from './socket.ts';
import {
  fill,
  listening,
  receiveAll,
  receiveExactly,
  tcpPair,
  unixPair,
} from './sockets.test.util.ts';

test('two receives at once complete in the order they were called', async () => {
  using pair = await tcpPair();
  const order: string[] = [];
  const receives = ['first', 'second', 'third'].map(async (name) => {
    const data = await pair.server.recv(2);
    order.push(`${name} ${data.toString()}`);
  });
  await pair.client.sendall(Buffer.from('112233'));
  await Promise.all(receives);
  assert.deepEqual(order, ['first 11', 'second 22', 'third 33']);
});

test('receives of different kinds keep their order', async () => {
  using pair = await tcpPair();
  const buffer = Buffer.alloc(1);
  const results = Promise.all([
    pair.server.recv(1),
    pair.server.recvInto(buffer),
    pair.server.recvfrom(1),
    pair.server.recv(100_000),
  ]);
  await pair.client.sendall(Buffer.from('abcd'));
  const [first, count, [third, address], fourth] = await results;
  assert.equal([first, buffer, third, fourth].join(''), 'abcd');
  assert.equal(count, 1);
  assert.equal(address, null);
});

test('sends of every kind leave in the order they were called', async () => {
  using pair = await tcpPair();
  const parts = Array.from({ length: 200 }, (_, i) =>
    Buffer.from(`${i},`.padStart(1 + (i % 50), '.')),
  );
  parts.splice(100, 0, Buffer.alloc(300_000, 'L'));
  const sends = parts.map((part, i) =>
    i % 3 === 0 && part.length < 100 ? pair.client.send(part) : pair.client.sendall(part),
  );
  const expected = Buffer.concat(parts);
  const received = await receiveExactly(pair.server, expected.length);
  await Promise.all(sends);
  assert.ok(received.equals(expected));
});

test('send() with MSG_DONTWAIT does not overtake what sendall() has queued', async () => {
  using pair = await tcpPair();
  const first = pair.client.sendall(Buffer.from('1'));
  const second = pair.client.send(Buffer.from('2'), MSG_DONTWAIT);
  await Promise.all([first, second]);
  assert.equal((await receiveExactly(pair.server, 2)).toString(), '12');
});

test('sendSync() does not overtake what sendall() has queued', async () => {
  using pair = await tcpPair();
  const first = pair.client.sendall(Buffer.from('1'));
  assert.equal(pair.client.sendSync(Buffer.from('2')), 1);
  await first;
  assert.equal((await receiveExactly(pair.server, 2)).toString(), '12');
});

test('settimeout(0) after sendall() was queued: the next send is not refused for its sake', async () => {
  using pair = await tcpPair();
  const first = pair.client.sendall(Buffer.from('1'));
  pair.client.settimeout(0);
  await pair.client.sendall(Buffer.from('2'));
  await first;
  assert.equal((await receiveExactly(pair.server, 2)).toString(), '12');
});

test('recv() with MSG_DONTWAIT takes nothing from a receive that waits before it', async () => {
  using pair = await tcpPair();
  const waiting = pair.server.recv(10);
  pair.client.sendallSync(Buffer.from('x'));
  // The bytes are the waiting one's, so that there is nothing left for this one.
  assert.equal((await rejection(pair.server.recv(10, MSG_DONTWAIT as number))).code, 'EAGAIN');
  assert.equal((await waiting).toString(), 'x');
});

test('a receive that waits does not hold up a send, nor a full peer a receive', async () => {
  using pair = unixPair();
  const receiving = pair.client.recv(10);
  await pair.client.sendall(Buffer.from('out'));
  fill(pair.client);
  const sending = pair.client.sendall(Buffer.from('late'));
  await pair.server.sendall(Buffer.from('in'));
  assert.equal((await receiving).toString(), 'in');
  pair.server.close();
  await rejection(sending);
});

test('several accepts at once get the connections in the order they came', async () => {
  using listener = listening();
  const accepted = Promise.all([listener.accept(), listener.accept(), listener.accept()]);
  const clients: Socket[] = [];
  for (let i = 0; i < 3; i++) {
    const client = new Socket();
    await client.connect(listener.getsockname());
    clients.push(client);
  }
  const ports = (await accepted).map(([connection, address]) => {
    connection.close();
    return address.port;
  });
  assert.deepEqual(
    ports,
    clients.map((client) => client.getsockname().port),
  );
  for (const client of clients) client.close();
});

test('accepts that are aborted while others wait lose no connection', async () => {
  using listener = listening();
  const controller = new AbortController();
  const first = listener.accept();
  const second = listener.accept();
  const third = rejection(listener.accept({ signal: controller.signal }));
  const clients = Array.from({ length: 4 }, () => new Socket());
  await clients[0]?.connect(listener.getsockname());
  (await first)[0].close();
  controller.abort();
  await third;
  // Three at once for one that waits and two that come later.
  for (const client of clients.slice(1)) client.connectSync(listener.getsockname());
  const ports = [
    (await second)[1].port,
    (await listener.accept())[1].port,
    (await listener.accept())[1].port,
  ];
  assert.deepEqual(
    ports,
    clients.slice(1).map((client) => client.getsockname().port),
  );
  for (const client of clients) client.close();
});

test('sendto() calls that wait each keep their own address', async () => {
  using directory = new TemporaryDirectory();
  const receivers = ['a', 'b', 'c'].map((name) => {
    const socket = new Socket(AF_UNIX, SOCK_DGRAM);
    socket.bind({ path: directory.file(name) });
    return { name, socket, address: { path: directory.file(name) } };
  });
  using sender = new Socket(AF_UNIX, SOCK_DGRAM);
  const [first] = receivers;
  assert.ok(first !== undefined);
  // The queue of the first is full, so that all three wait in the sender's lane.
  sender.settimeout(0);
  let queued = 0;
  while ((await sender.sendto(Buffer.from('full'), first.address).catch(() => -1)) > 0) queued++;
  sender.settimeout(5);
  const sends = receivers.map(({ name, address }) => sender.sendto(Buffer.from(name), address));
  await turns(2);
  for (let i = 0; i < queued; i++) await first.socket.recv(10);
  await Promise.all(sends);
  for (const { name, socket } of receivers) {
    assert.equal((await socket.recv(10)).toString(), name);
    socket.close();
  }
});

test('the small sends of one turn leave together', await needs('python3'), async () => {
  using listener = listening();
  await using peer = new PythonPeer(
    `
    client = socket.create_connection(('127.0.0.1', args[0]))
    for _ in range(3):
        hear()
        say(len(client.recv(65536)))
  `,
    listener.getsockname().port,
  );
  const [connection] = await listener.accept();
  using _ = connection;
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 100 }, () => connection.sendall(Buffer.alloc(64))));
    peer.say(null);
    assert.equal(await peer.hear(), 6_400);
  }
});

test('no small send is held back behind a large one, as Nagle’s algorithm would for 40 ms', async () => {
  using pair = await tcpPair();
  const send = () =>
    Promise.all([16_000, 100].map((size) => pair.client.sendall(Buffer.alloc(size))));
  // With TCP_NODELAY the large one leaves by itself, else both leave together.
  for (const noDelay of [false, true, false]) {
    pair.client.setsockopt(IPPROTO_TCP, TCP_NODELAY, noDelay);
    const received = noDelay ? receiveExactly(pair.server, 16_100) : pair.server.recv(65_536);
    await send();
    assert.equal((await received).length, 16_100);
  }
});

test('the sends of one turn are one segment on a Unix stream too', async () => {
  using pair = unixPair();
  const sends = Promise.all(
    Array.from({ length: 10 }, (_, i) => pair.client.sendall(Buffer.from(`${i}`))),
  );
  // The first receive waits and takes what one system call brought.
  assert.equal((await pair.server.recv(100)).toString(), '0123456789');
  await sends;
});

test('one fast sender does not starve the others', async () => {
  using fast = await tcpPair();
  using slow = await tcpPair();
  const stop = new AbortController();
  const flood = (async () => {
    const chunk = Buffer.alloc(65_536);
    while (!stop.signal.aborted) await fast.client.sendall(chunk);
    fast.client.close();
  })();
  const drain = receiveAll(fast.server);
  for (let i = 0; i < 50; i++) {
    await slow.client.sendall(Buffer.from('ping'));
    assert.equal((await slow.server.recv(10)).toString(), 'ping');
  }
  stop.abort();
  await flood;
  assert.ok((await drain).length > 0);
});

test('a turn of one socket is 256 KiB of receives at most', async () => {
  using pair = unixPair();
  const chunk = Buffer.alloc(8_192);
  let received = 0;
  const total = 512 * 8_192;
  const receiving = (async () => {
    for (;;) {
      const data = await pair.server.recv(8_192);
      received += data.length;
      if (data.length === 0) break;
    }
  })();
  // As much as the kernel holds, several times; between two turns of the loop one budget goes.
  const sending = (async () => {
    for (let i = 0; i < 512; i++) await pair.client.sendall(chunk);
    pair.client.close();
  })();
  let most = 0;
  for (let before = -1; before < total; ) {
    before = received;
    await turns();
    most = Math.max(most, received - before);
  }
  await Promise.all([receiving, sending]);
  assert.equal(received, total);
  // Two budgets, since a batch and a deferral may both fall between two immediates.
  assert.ok(most <= 2 * 256 * 1024 + 65_536, `${most} bytes in one turn`);
});

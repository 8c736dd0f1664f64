import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHUT_WR, SO_LINGER, SOL_SOCKET } from '../constants/index.ts';
import { rejection, until } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { listening, tcpPair } from './sockets.test.util.ts';

// struct linger: on, 0 seconds.
const RESET_ON_CLOSE = Buffer.from(new Int32Array([1, 0]).buffer);

test('for await on a stream yields its bytes and ends with it', async () => {
  using pair = await tcpPair();
  const data = Buffer.alloc(300_000, 'abc');
  const sending = pair.client.sendall(data).then(() => pair.client.shutdown(SHUT_WR as number));
  const chunks: Buffer[] = [];
  for await (const chunk of pair.server) chunks.push(chunk as Buffer);
  await sending;
  assert.ok(Buffer.concat(chunks).equals(data));
  assert.ok(chunks.every((chunk) => chunk.length <= 65_536));
});

test('for await on a listener yields connections with their addresses until close()', async () => {
  const listener = listening();
  const clients = Array.from({ length: 3 }, () => new Socket());
  const ports: number[] = [];
  const loop = (async () => {
    for await (const item of listener) {
      const [connection, address] = item as [Socket, { port: number }];
      ports.push(address.port);
      connection.close();
      if (ports.length === clients.length) listener.close();
    }
  })();
  for (const client of clients) await client.connect(listener.getsockname());
  await loop;
  assert.deepEqual(
    ports,
    clients.map((client) => client.getsockname().port),
  );
  for (const client of clients) client.close();
});

test('close() while the loop waits ends it without an error', async () => {
  using pair = await tcpPair();
  const loop = (async () => {
    for await (const chunk of pair.server) assert.ok(chunk === undefined);
  })();
  pair.server.close();
  await loop;
});

test('leaving the loop leaves the socket open, and another loop goes on', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('first'));
  for await (const chunk of pair.server) {
    assert.deepEqual(chunk, Buffer.from('first'));
    break;
  }
  assert.equal(pair.server.closed, false);
  await pair.client.sendall(Buffer.from('second'));
  pair.client.close();
  const rest: string[] = [];
  for await (const chunk of pair.server) rest.push((chunk as Buffer).toString());
  assert.deepEqual(rest, ['second']);
});

test('an error that is not the close is the loop’s', async () => {
  using pair = await tcpPair();
  pair.server.settimeout(0.005);
  const loop = (async () => {
    for await (const chunk of pair.server) assert.ok(chunk === undefined);
  })();
  assert.equal((await rejection(loop)).name, 'TimeoutError');
});

test('a reset reaches the loop that waits', async () => {
  using pair = await tcpPair();
  const loop = (async () => {
    for await (const chunk of pair.server) assert.ok(chunk === undefined);
  })();
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, RESET_ON_CLOSE);
  pair.client.close();
  assert.match((await rejection(loop)).message, /^recv ECONNRESET/);
});

test('several next() at once get the chunks in their order, whatever else waits between them', async () => {
  using pair = await tcpPair();
  const chunks = pair.server[Symbol.asyncIterator]();
  const got: string[] = [];
  const note = (name: string) => (result: IteratorResult<unknown, undefined> | Buffer) => {
    const value = Buffer.isBuffer(result) ? result : (result.value as Buffer | undefined);
    got.push(`${name} ${value?.toString()}`);
  };
  const all = Promise.all([
    chunks.next().then(note('first')),
    chunks.next().then(note('second')),
    pair.server.recv(100).then(note('recv')),
    chunks.next().then(note('third')),
  ]);
  for (const [i, text] of ['one', 'two', 'three'].entries()) {
    await pair.client.sendall(Buffer.from(text));
    await until(() => got.length > i, text);
  }
  pair.server.close();
  await all;
  assert.deepEqual(got, ['first one', 'second two', 'recv three', 'third undefined']);
});

test('several next() at once all fail with the error of a reset, or meet the end after it', async () => {
  using pair = await tcpPair();
  const chunks = pair.server[Symbol.asyncIterator]();
  const first = rejection(chunks.next());
  const second = chunks.next();
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, RESET_ON_CLOSE);
  pair.client.close();
  assert.equal((await first).code, 'ECONNRESET');
  assert.deepEqual(await second, { done: true, value: undefined });
});

test('what waits behind a loop’s step doesn’t overtake its failure', async () => {
  using pair = await tcpPair();
  const chunks = pair.server[Symbol.asyncIterator]();
  const told: string[] = [];
  const note = (name: string) => (): unknown => told.push(name);
  const all = Promise.all([
    chunks.next().then(note('chunk'), note('failure')),
    chunks.next().then(note('end')),
    pair.server.recv(100).then(note('nothing')),
    chunks.next().then(note('end again')),
  ]);
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, RESET_ON_CLOSE);
  pair.client.close();
  await all;
  assert.deepEqual(told, ['failure', 'end', 'nothing', 'end again']);
});

test('using and await using close the socket', async () => {
  let kept: Socket;
  {
    using socket = new Socket();
    kept = socket;
    assert.equal(kept.closed, false);
  }
  assert.equal(kept.closed, true);
  {
    await using socket = new Socket();
    kept = socket;
  }
  assert.equal(kept.closed, true);
  kept.close();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Codec,
  FrameDecoder,
  FrameTooLargeError,
  FrameTruncatedError,
  jsonLines,
  lengthPrefix,
  lines,
} from '../codec/index.ts';
import { AF_UNIX, SHUT_WR, SO_SNDBUF, SOCK_DGRAM, SOL_SOCKET } from '../constants/index.ts';
import { native } from '@sockeye/native';
import type { SocketError } from '../errors/index.ts';
import { TimeoutError } from '../errors/index.ts';
import { createConnection, createServer, Socket, socketpair } from '../socket/index.ts';
import { PythonPeer, rejection, turns } from '../testing/index.ts';
import { FrameTimeoutError } from './frame-timeout-error.ts';
import { framed } from './framed.ts';

/** A connected pair: one end framed, the other bare. */
function pair<Message, Sent>(codec: Codec<Message, Sent>, options = {}) {
  const [left, peer] = socketpair();
  return { messages: framed(left, codec, options), socket: left, peer };
}

async function collect<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  const all: Message[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** How many bytes come until the end. */
async function countToEnd(socket: Socket<number>): Promise<number> {
  let count = 0;
  for (let got = 1; got > 0; count += got) got = (await socket.recv(65_536)).length;
  return count;
}

/** Counts the system calls that send while `run` runs. */
async function countSends(run: () => Promise<void>): Promise<number> {
  // oxlint-disable-next-line typescript/unbound-method -- the addon's functions have no this
  const { send, sendBatch } = native;
  let count = 0;
  Object.assign(native, {
    send: (...args: Parameters<typeof send>) => (count++, send(...args)),
    sendBatch: (...args: Parameters<typeof sendBatch>) => ((count += args[1]), sendBatch(...args)),
  });
  try {
    await run();
  } finally {
    Object.assign(native, { send, sendBatch });
  }
  return count;
}

test('framed() gives the messages of a stream however it is cut, and ends with it', async () => {
  const { messages, peer } = pair(lines());
  const all = collect(messages);
  for (const byte of Buffer.from('one\ntwo\n\nend')) {
    await peer.sendall(Buffer.of(byte));
    await turns();
  }
  peer.close();
  assert.deepEqual(await all, ['one', 'two', '', 'end']);
  await messages.close();
});

test('framed() messages stay as they are while later ones come', async () => {
  const { messages, peer } = pair(lengthPrefix());
  const codec = lengthPrefix();
  const sender = framed(peer, codec);
  const sent = Array.from({ length: 200 }, (_, i) => Buffer.alloc(i * 7, i));
  const all = collect(messages);
  for (const message of sent) {
    await sender.send(message);
    if (message.length % 3 === 0) await turns();
  }
  await sender.close();
  assert.deepEqual(await all, sent);
  await messages.close();
});

test('framed() interoperates with Python over TCP', async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    while True:
        head = connection.recv(4, socket.MSG_WAITALL)
        if not head: break
        body = receive_exactly(connection, struct.unpack('!I', head)[0])
        connection.sendall(head + body[::-1])
    connection.close()
  `);
  const socket = await createConnection({ host: '127.0.0.1', port: await peer.hear<number>() });
  await using messages = framed(socket, lengthPrefix({ bytes: 4, endian: 'big' }));
  const requests = ['abc', '', 'x'.repeat(100_000)].map((text) => Buffer.from(text));
  const replies = await Promise.all(requests.map((request) => messages.request(request)));
  assert.deepEqual(
    replies.map(String),
    requests.map((request) => Buffer.from(request.toReversed()).toString()),
  );
});

test('send() of one turn leave in one system call, in their order', async () => {
  const { messages, socket, peer } = pair(lengthPrefix({ bytes: 1 }));
  const sends = await countSends(async () => {
    for (let i = 0; i < 16; i++) void messages.send(Buffer.alloc(64, i));
    await messages.flush();
  });
  assert.equal(sends, 1);
  const received = peer.recvSync(10_000);
  const expected = Array.from({ length: 16 }, (_, i) => [
    Buffer.of(64),
    Buffer.alloc(64, i),
  ]).flat();
  assert.deepEqual(received, Buffer.concat(expected));
  socket.close();
  peer.close();
});

test('the replies of a turn to messages of one chunk leave in one system call', async () => {
  const { messages, peer } = pair(lines());
  const loop = (async () => {
    for await (const line of messages) void messages.send(line.toUpperCase());
  })();
  await turns();
  const sends = await countSends(async () => {
    native.send(peer.fileno(), Buffer.from('a\n'.repeat(16)), 0, 32, 0);
    assert.equal(String(await peer.recv(100)), 'A\n'.repeat(16));
  });
  assert.equal(sends, 2);
  peer.close();
  await loop;
  await messages.close();
});

test('send() resolves at once below highWaterMark, and above it when there is room', async () => {
  const { messages, socket, peer } = pair(lengthPrefix(), { highWaterMark: 65_536 });
  socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  // The kernel takes what it takes; from then on it takes nothing.
  let count = 1;
  while (messages.queuedBytes < 65_536 - 1004) {
    await messages.send(Buffer.alloc(1000));
    count++;
    await turns();
  }
  assert.ok(count > 65);
  let isDone = false;
  const waiting = messages.send(Buffer.alloc(1000)).then(() => (isDone = true));
  await turns(5);
  assert.equal(isDone, false);
  assert.equal(messages.hasRoom, false);
  const received = countToEnd(peer);
  await waiting;
  await messages.close();
  assert.equal(await received, count * 1004);
  peer.close();
});

test('send() copies what it queues, and waits for the kernel with a message above 32 KiB', async () => {
  const { messages, peer } = pair(lengthPrefix());
  const small = Buffer.alloc(2000, 'a');
  await messages.send(small);
  small.fill('b');
  const large = Buffer.alloc(300_000, 'c');
  let isDone = false;
  const sent = messages.send(large).then(() => (isDone = true));
  void messages.send(Buffer.from('end'));
  await turns(3);
  assert.equal(isDone, false);
  const other = framed(peer, lengthPrefix());
  const got = collect(other);
  await sent;
  await messages.close();
  assert.deepEqual(await got, [Buffer.alloc(2000, 'a'), large, Buffer.from('end')]);
  await other.close();
});

test('an error of an earlier send() rejects the next one and close(), and needs no handler', async () => {
  const { messages, peer } = pair(lines());
  peer.close();
  void messages.send('lost');
  await turns(2);
  void messages.send('unhandled');
  await assert.rejects(messages.send('again'), { code: 'EPIPE', bytesSent: 0 });
  await assert.rejects(messages.flush(), { code: 'EPIPE' });
  await assert.rejects(messages.close(), { code: 'EPIPE' });
});

test('send() of a message that the codec refuses sends nothing, and the next one goes out', async () => {
  const { messages, peer } = pair(lengthPrefix({ maxFrameBytes: 10 }));
  await assert.rejects(messages.send(Buffer.alloc(11)), FrameTooLargeError);
  await messages.send(Buffer.from('ok'));
  await messages.close();
  assert.deepEqual(peer.recvSync(100), Buffer.from('\0\0\0\x02ok'));
  peer.close();
});

test('a frame above maxFrameBytes closes the connection after the messages before it', async () => {
  const { messages, socket, peer } = pair(lengthPrefix({ bytes: 1, maxFrameBytes: 3 }));
  peer.sendSync(Buffer.from('\x01a\x01b\x04'));
  const got: string[] = [];
  const error = await rejection(
    (async () => {
      for await (const message of messages) {
        got.push(String(message));
        assert.equal(socket.closed, false);
      }
    })(),
  );
  assert.ok(error instanceof FrameTooLargeError);
  assert.deepEqual(got, ['a', 'b']);
  assert.equal(socket.closed, true);
  assert.equal(await rejection(messages[Symbol.asyncIterator]().next()), error);
  peer.close();
});

test('an end inside a frame rejects with FrameTruncatedError', async () => {
  const { messages, peer } = pair(lengthPrefix());
  peer.sendSync(Buffer.from('\0\0\0\x01a\0\0\0\x02b'));
  peer.close();
  const iterator = messages[Symbol.asyncIterator]();
  assert.equal(String((await iterator.next()).value), 'a');
  assert.ok((await rejection(iterator.next())) instanceof FrameTruncatedError);
  await messages.close();
});

test('bytes before a reset are delivered before its error', async () => {
  const listener = createServer({ host: '127.0.0.1', port: 0 });
  const client = await createConnection(listener.getsockname());
  const [server] = await listener.accept();
  const messages = framed(server, lines());
  await client.sendall(Buffer.from('a\nb\n'));
  // SO_LINGER with 0 seconds makes close() a reset (socket(7)).
  client.setsockopt(SOL_SOCKET, 13, Buffer.from(Int32Array.of(1, 0).buffer));
  const iterator = messages[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, 'a');
  client.close();
  assert.equal((await iterator.next()).value, 'b');
  assert.equal((await rejection<SocketError>(iterator.next())).code, 'ECONNRESET');
  await messages.close();
  listener.close();
});

test('frameTimeoutMs counts from the first byte of a frame, whatever drips in', async () => {
  const { messages, socket, peer } = pair(lengthPrefix(), { frameTimeoutMs: 200 });
  peer.sendSync(Buffer.from('\0\0\0\x01a\0\0\x01'));
  const iterator = messages[Symbol.asyncIterator]();
  assert.equal(String((await iterator.next()).value), 'a');
  const started = performance.now();
  const drip = setInterval(() => peer.closed || peer.sendSync(Buffer.of(0)), 20);
  const error = await rejection(iterator.next());
  clearInterval(drip);
  const took = performance.now() - started;
  assert.ok(error instanceof FrameTimeoutError, String(error));
  assert.match(
    error.message,
    /^framed ETIMEDOUT: Cannot receive frame: \d+ bytes of it came within frameTimeoutMs 200/,
  );
  // An eighth late at most, and a loop that others share.
  assert.ok(took >= 199 && took < 200 + 200 / 8 + 150, `${took} ms`);
  assert.equal(socket.closed, true);
  peer.close();
});

test('frameTimeoutMs does not run between frames or while nobody reads', async () => {
  const { messages, peer } = pair(lines(), { frameTimeoutMs: 60 });
  peer.sendSync(Buffer.from('a\nb\nhal'));
  const iterator = messages[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value, 'a');
  const { promise, resolve } = resolvable();
  setTimeout(resolve, 150);
  await promise;
  assert.equal((await iterator.next()).value, 'b');
  const next = iterator.next();
  peer.sendSync(Buffer.from('f\n'));
  assert.equal((await next).value, 'half');
  const idle = iterator.next();
  setTimeout(() => peer.sendSync(Buffer.from('late\n')), 150);
  assert.equal((await idle).value, 'late');
  peer.close();
  await messages.close();
});

function resolvable() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve: () => resolve() };
}

test('request() gets the replies in order, whatever the chunks', async () => {
  const { messages, peer } = pair(lines());
  const replies = Promise.all(['a', 'b', 'c'].map((text) => messages.request(text)));
  assert.equal(String(await peer.recv(100)), 'a\nb\nc\n');
  await peer.sendall(Buffer.from('A\nB'));
  await turns();
  await peer.sendall(Buffer.from('\nC\nnews\n'));
  assert.deepEqual(await replies, ['A', 'B', 'C']);
  const next = await messages[Symbol.asyncIterator]().next();
  assert.equal(next.value, 'news');
  peer.close();
  await messages.close();
});

interface Call {
  readonly id?: number;
  readonly text: string;
}

test('request() with idOf gets replies in any order, and the rest is iterated', async () => {
  const codec = jsonLines() as Codec<Call>;
  const { messages, peer } = pair(codec, { idOf: ({ id }: Call) => id });
  const first = messages.request({ id: 1, text: 'one' });
  const second = messages.request({ id: 2, text: 'two' });
  await assert.rejects(messages.request({ id: 2, text: 'again' }), { code: 'ERR_INVALID_STATE' });
  await assert.rejects(messages.request({ text: 'none' }), { code: 'ERR_INVALID_STATE' });
  const other = framed(peer, codec);
  const asked = other[Symbol.asyncIterator]();
  assert.deepEqual((await asked.next()).value, { id: 1, text: 'one' });
  assert.deepEqual((await asked.next()).value, { id: 2, text: 'two' });
  await other.send({ text: 'event' });
  await other.send({ id: 2, text: 'TWO' });
  await other.send({ id: 1, text: 'ONE' });
  const iterator = messages[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: { text: 'event' } });
  assert.equal((await second).text, 'TWO');
  assert.equal((await first).text, 'ONE');
  await other.close();
  assert.equal((await iterator.next()).done, true);
  await messages.close();
});

test('request() that is aborted or late takes its reply with it', async () => {
  const { messages, peer } = pair(lines());
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborted = messages.request('a', { signal: controller.signal });
  const late = messages.request('b', { timeoutMs: 20 });
  const kept = messages.request('c');
  controller.abort(reason);
  assert.equal(await rejection(aborted), reason);
  const timeout = await rejection(late);
  assert.ok(timeout instanceof TimeoutError);
  assert.match(timeout.message, /timed out after 0.02 s/);
  await peer.sendall(Buffer.from('A\nB\nC\n'));
  assert.equal(await kept, 'C');
  await assert.rejects(messages.request('d', { signal: controller.signal }), reason);
  await assert.rejects(messages.request('d', { timeoutMs: -1 }), RangeError);
  peer.close();
  await messages.close();
});

test('request() rejects when the connection ends, breaks a rule, or is closed here', async () => {
  const ended = pair(lines());
  const first = ended.messages.request('a');
  assert.equal(String(await ended.peer.recv(10)), 'a\n');
  ended.peer.close();
  await assert.rejects(first, { code: 'ECONNRESET', syscall: 'request' });
  await assert.rejects(ended.messages.request('b'), { code: 'ECONNRESET' });
  await ended.messages.close();

  const broken = pair(lines({ maxFrameBytes: 4 }));
  const second = broken.messages.request('a');
  broken.peer.sendSync(Buffer.from('too long'));
  await assert.rejects(second, FrameTooLargeError);
  assert.equal(broken.socket.closed, true);
  broken.peer.close();

  const closed = pair(lines());
  const third = closed.messages.request('a');
  const [, reason] = await Promise.all([closed.messages.close(), rejection<SocketError>(third)]);
  assert.equal(reason.code, 'EBADF');
  closed.peer.close();
});

test('a request that waits goes on reading once what came for the iteration is taken', async () => {
  const { messages, peer } = pair<Call, Call>(jsonLines(), { idOf: ({ id }: Call) => id });
  const reply = messages.request({ id: 7, text: 'q' });
  const other = framed<Call>(peer, jsonLines());
  await other.send({ text: 'news' });
  await turns(3);
  await other.send({ id: 7, text: 'r' });
  await turns(3);
  const iterator = messages[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value?.text, 'news');
  assert.equal((await reply).text, 'r');
  await other.close();
  await messages.close();
});

test('iteration ends when close() is called during it, and send() then rejects', async () => {
  const { messages, peer } = pair(lines());
  const all = collect(messages);
  await messages.send('bye');
  await messages.close();
  assert.deepEqual(await all, []);
  assert.equal(String(peer.recvSync(100)), 'bye\n');
  await assert.rejects(messages.send('x'), { code: 'EBADF' });
  assert.equal(peer.recvSync(10).length, 0);
  peer.close();
});

test('close() waits for what was sent, and an iteration can be left and taken up again', async () => {
  const { messages, socket, peer } = pair(lengthPrefix());
  peer.sendSync(Buffer.from('\0\0\0\x01a\0\0\0\x01b'));
  for await (const message of messages) {
    assert.equal(String(message), 'a');
    break;
  }
  assert.equal(socket.closed, false);
  assert.equal(String((await messages[Symbol.asyncIterator]().next()).value), 'b');
  socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  void messages.send(Buffer.alloc(500_000));
  const closed = messages.close();
  await turns(3);
  assert.equal(socket.closed, false);
  const received = countToEnd(peer);
  await closed;
  assert.equal(await received, 500_004);
  peer.close();
});

test('an iteration that sends without waiting is paused: memory stays near highWaterMark', async () => {
  const { messages, socket, peer } = pair(lengthPrefix(), { highWaterMark: 10_000 });
  socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  let most = 0;
  const loop = (async () => {
    for await (const message of messages) {
      void messages.send(message);
      most = Math.max(most, messages.queuedBytes);
    }
  })();
  const sender = framed(peer, lengthPrefix());
  const all = Array.from({ length: 2000 }, (_, i) => Buffer.alloc(100, i));
  let sent = 0;
  for (; sent < all.length && sender.hasRoom; sent++) {
    void sender.send(all[sent] as Buffer);
    await turns();
  }
  assert.ok(most >= 10_000 && most < 13_000, `${most} bytes queued`);
  const got = collect(sender);
  for (; sent < all.length; sent++) await sender.send(all[sent] as Buffer);
  await sender.flush();
  peer.shutdown(1);
  await loop;
  await messages.close();
  assert.deepEqual(await got, all);
  await sender.close();
});

test('a timeout of the socket ends one wait, and the messages go on', async () => {
  const { messages, socket, peer } = pair(lines());
  socket.settimeout(0.02);
  const iterator = messages[Symbol.asyncIterator]();
  assert.ok((await rejection(iterator.next())) instanceof TimeoutError);
  peer.sendSync(Buffer.from('here\n'));
  assert.equal((await iterator.next()).value, 'here');
  peer.close();
  await messages.close();
});

test('batches() gives all messages of a receive at once, whose replies leave in one system call', async () => {
  const { messages, peer } = pair(lines());
  const batches: (readonly string[])[] = [];
  const loop = (async () => {
    for await (const batch of messages.batches()) {
      batches.push(batch);
      for (const line of batch) void messages.send(line.toUpperCase());
    }
  })();
  await turns();
  const sends = await countSends(async () => {
    native.send(peer.fileno(), Buffer.from('a\nb\nc\nd'), 0, 7, 0);
    assert.equal(String(await peer.recv(100)), 'A\nB\nC\n');
  });
  assert.equal(sends, 2);
  peer.shutdown(SHUT_WR);
  await loop;
  assert.equal(String(await peer.recv(100)), 'D\n');
  await messages.close();
  peer.close();
  assert.deepEqual(batches, [['a', 'b', 'c'], ['d']]);
});

test('batches() and the iteration of messages may follow each other, and wait together', async () => {
  const { messages, peer } = pair(lines());
  await peer.sendall(Buffer.from('a\nb\nc\n'));
  for await (const line of messages) {
    assert.equal(line, 'a');
    break;
  }
  const batches = messages.batches();
  assert.deepEqual((await batches.next()).value, ['b', 'c']);
  const both = Promise.all([messages[Symbol.asyncIterator]().next(), batches.next()]);
  await peer.sendall(Buffer.from('d\ne\nf\n'));
  assert.deepEqual(
    (await both).map(({ value }) => value),
    ['d', ['e', 'f']],
  );
  const last = batches.next();
  peer.close();
  assert.deepEqual(await last, { done: true, value: undefined });
  await messages.close();
});

test('batches() gives the messages before a broken frame, to be answered, then its error, and closes', async () => {
  const { messages, socket, peer } = pair(lines({ maxFrameBytes: 3 }));
  const batches = messages.batches();
  const first = batches.next();
  await peer.sendall(Buffer.from('a\nb\nlong\n'));
  assert.deepEqual((await first).value, ['a', 'b']);
  assert.equal(socket.closed, false);
  await messages.send('yes');
  await messages.flush();
  assert.equal(String(await peer.recv(100)), 'yes\n');
  assert.ok((await rejection(batches.next())) instanceof FrameTooLargeError);
  assert.equal(socket.closed, true);
  peer.close();
});

test('a loop over batches that sends without waiting is paused between batches', async () => {
  const { messages, socket, peer } = pair(lengthPrefix(), { highWaterMark: 10_000 });
  socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  const loop = (async () => {
    for await (const batch of messages.batches()) {
      for (const message of batch) void messages.send(message);
    }
  })();
  const sender = framed(peer, lengthPrefix());
  for (let sent = 0; sent < 2000 && sender.hasRoom; sent++) {
    void sender.send(Buffer.alloc(100, sent));
    await turns();
  }
  // The mark, a quarter, and the replies to one receive of a peer that reads nothing (8 KiB).
  const { queuedBytes } = messages;
  assert.ok(queuedBytes >= 10_000 && queuedBytes < 21_000, `${queuedBytes} bytes queued`);
  const got = collect(sender);
  await sender.flush();
  peer.shutdown(SHUT_WR);
  await loop;
  await messages.close();
  assert.ok((await got).length > 100);
  await sender.close();
});

test('several next() calls at once get the messages in their order', async () => {
  const { messages, peer } = pair(lines());
  const iterator = messages[Symbol.asyncIterator]();
  const three = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
  await peer.sendall(Buffer.from('a\nb\n'));
  peer.close();
  assert.deepEqual(
    (await three).map(({ value }) => value),
    ['a', 'b', undefined],
  );
  await messages.close();
});

test("framed() takes a codec of the user's own that throws anything", async () => {
  class Broken extends FrameDecoder<string> {
    readonly pendingBytes = 0;
    protected override decode(): void {
      throw new Error('my own');
    }
    protected override finish(): void {}
  }
  const codec: Codec<string> = { encode: (text) => Buffer.from(text), decoder: () => new Broken() };
  const { messages, socket, peer } = pair(codec);
  peer.sendSync(Buffer.from('x'));
  await assert.rejects(collect(messages), /my own/);
  assert.equal(socket.closed, false);
  peer.close();
  await messages.close();
});

test('framed() refuses wrong arguments by name', () => {
  const [left, right] = socketpair();
  assert.throws(() => framed(left, {} as Codec<string>), { message: /codec/ });
  assert.throws(() => framed(left, lines(), { frameTimeoutMs: 0 }), { message: /frameTimeoutMs/ });
  assert.throws(() => framed(left, lines(), { highWaterMark: Number.NaN }), {
    message: /highWaterMark/,
  });
  assert.throws(() => framed({} as Socket, lines()), { message: /a Socket or a Connection/ });
  left.setblocking(false);
  assert.throws(() => framed(left, lines()), {
    code: 'ERR_INVALID_STATE',
    message: /timeout is 0/,
  });
  const datagram = new Socket(AF_UNIX, SOCK_DGRAM);
  assert.throws(() => framed(datagram, lines()), { message: /not SOCK_STREAM/ });
  for (const socket of [left, right, datagram]) socket.close();
});

test('framed() works through recv and sendall of any connection, one send a turn', async () => {
  const [left, peer] = socketpair();
  let sends = 0;
  const connection = {
    recv: (size: number) => left.recv(size),
    sendall: (data: Uint8Array) => (sends++, left.sendall(data)),
    close: () => left.close(),
  };
  const messages = framed(connection, lines());
  const loop = (async () => {
    for await (const line of messages) void messages.send(`>${line}`);
  })();
  await peer.sendall(Buffer.from('a\nb\nc\n'));
  assert.equal(String(await peer.recv(100)), '>a\n>b\n>c\n');
  assert.equal(sends, 1);
  peer.close();
  await loop;
  await messages.close();
  assert.equal(left.closed, true);
});

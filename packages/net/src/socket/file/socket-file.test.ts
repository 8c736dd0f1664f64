import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AF_INET,
  type AF_UNIX,
  SHUT_WR,
  SO_SNDBUF,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../constants/index.ts';
import { SocketError, TimeoutError } from '../../errors/index.ts';
import { Socket } from '../socket.ts';
import { socketpair } from '../socketpair.ts';
import { IncompleteReadError } from './incomplete-read-error.ts';
import type { SocketFile } from './socket-file.ts';

const MESSAGE = 'Michael Gilfix was here\u1234\r\n';
const BYTES = Buffer.from(MESSAGE);

// The classes of CPython 3.11's test_socket.py from FileObjectClassTestCase on.
const CLASSES = [
  { name: 'a buffered file', read: 'rb', write: 'wb', buffering: -1 },
  { name: 'an unbuffered file', read: 'rb', write: 'wb', buffering: 0 },
  { name: 'a file with buffering 1', read: 'rb', write: 'wb', buffering: 1 },
  { name: 'a file with buffering 2', read: 'rb', write: 'wb', buffering: 2 },
  { name: 'a text reader', read: 'r', write: 'wb', buffering: -1 },
  { name: 'a text writer', read: 'rb', write: 'w', buffering: -1 },
  { name: 'a text reader and writer', read: 'r', write: 'w', buffering: -1 },
] as const;

type AnyFile = SocketFile | SocketFile<string>;

interface Connected {
  readonly server: Socket<typeof AF_UNIX>;
  readonly client: Socket<typeof AF_UNIX>;
  readonly reader: AnyFile;
  readonly writer: AnyFile;
}

async function connected(kind: (typeof CLASSES)[number], run: (c: Connected) => Promise<void>) {
  const [client, server] = socketpair();
  const options = { buffering: kind.buffering, newline: '' } as const;
  const reader = client.makefile(kind.read as 'rb', options);
  const writer = server.makefile(kind.write as 'wb', options);
  try {
    await run({ server, client, reader, writer });
  } finally {
    await reader.close();
    await writer.close();
    client.close();
    server.close();
  }
}

function textOf(data: Buffer | string | null): string | null {
  return data === null ? null : data.toString();
}

async function writeAll(file: AnyFile, text: string): Promise<void> {
  const isText = file.encoding !== null;
  await (file as SocketFile<string>).write((isText ? text : Buffer.from(text)) as string);
  await file.flush();
}

for (const kind of CLASSES) {
  test(`read() of ${kind.name} gives a message in two parts`, () =>
    connected(kind, async ({ reader, writer }) => {
      await writeAll(writer, MESSAGE);
      const size = reader.encoding === null ? BYTES.length : MESSAGE.length;
      const first = await reader.read(size - 3);
      const second = reader.readSync(3);
      const parts = [first, second].map((part) => Buffer.from(part as string));
      assert.deepEqual(Buffer.concat(parts), BYTES);
    }));

  test(`read() of ${kind.name} goes on to the end of the stream`, () =>
    connected(kind, async ({ server, reader, writer }) => {
      const reading = reader.read();
      await writeAll(writer, MESSAGE);
      await writer.close();
      server.close();
      assert.equal(textOf(await reading), MESSAGE);
      assert.equal((await reader.read())?.length, 0);
      assert.equal(reader.readSync(1)?.length, 0);
    }));

  test(`read(1) of ${kind.name} gives one after the other`, () =>
    connected(kind, async ({ server, reader, writer }) => {
      await writeAll(writer, MESSAGE);
      server.shutdown(SHUT_WR);
      const parts: Buffer[] = [];
      for (;;) {
        const part = await reader.read(1);
        if (part === null || part.length === 0) break;
        parts.push(Buffer.from(part as string));
      }
      assert.deepEqual(Buffer.concat(parts), BYTES);
    }));

  test(`readline() of ${kind.name} gives the line and no more`, () =>
    connected(kind, async ({ reader, writer }) => {
      await writeAll(writer, `A. ${MESSAGE}B. ${MESSAGE}`);
      assert.equal(textOf(await reader.readline()), `A. ${MESSAGE}`);
      assert.equal(textOf(reader.readlineSync()), `B. ${MESSAGE}`);
    }));

  test(`read() of ${kind.name} after a timeout fails with "cannot read from timed out object"`, () =>
    connected(kind, async ({ client, reader, writer }) => {
      client.settimeout(0.01);
      await writeAll(writer, MESSAGE.slice(0, 3));
      assert.equal(textOf(await reader.read(3)), MESSAGE.slice(0, 3));
      await assert.rejects(reader.read(1), TimeoutError);
      await assert.rejects(reader.read(1), (error) => {
        assert.ok(error instanceof SocketError && !(error instanceof TimeoutError));
        assert.match(error.message, /cannot read from timed out object/);
        return true;
      });
      assert.throws(() => reader.readSync(1), /cannot read from timed out object/);
    }));

  test(`readSync() of ${kind.name} after a timeout fails likewise`, () =>
    connected(kind, async ({ client, reader }) => {
      client.settimeout(0.01);
      assert.throws(() => reader.readSync(1), TimeoutError);
      assert.throws(() => reader.readSync(1), /cannot read from timed out object/);
    }));

  test(`${kind.name} keeps the descriptor of a closed socket open`, () =>
    connected(kind, async ({ client, server, reader, writer }) => {
      client.close();
      assert.equal(client.closed, true);
      assert.ok(reader.fileno() >= 0);
      await writeAll(writer, MESSAGE);
      await writer.close();
      server.close();
      assert.equal(textOf(await reader.read()), MESSAGE);
      await reader.close();
      assert.throws(() => client.getsockname(), { code: 'EBADF' });
      assert.equal(client.fileno(), -1);
    }));

  test(`${kind.name} has the attributes of Python's`, () =>
    connected(kind, async ({ client, reader, writer }) => {
      assert.equal(reader.mode, kind.read);
      assert.equal(writer.mode, kind.write);
      assert.equal(reader.name, client.fileno());
      assert.deepEqual(
        [reader.readable(), reader.writable(), reader.seekable()],
        [true, false, false],
      );
      assert.deepEqual([writer.readable(), writer.writable()], [false, true]);
      assert.equal(reader.closed, false);
      await reader.close();
      assert.equal(reader.closed, true);
      assert.equal(reader.name, -1);
      for (const call of [
        () => reader.readable(),
        () => reader.writable(),
        () => reader.seekable(),
        () => reader.fileno(),
        () => reader.readSync(),
        () => reader.readlineSync(),
        () => reader.flushSync(),
      ])
        assert.throws(call, { code: 'ERR_INVALID_STATE' });
      await assert.rejects(reader.read(), { code: 'ERR_INVALID_STATE' });
      await assert.rejects(writer.read(), { code: 'ERR_INVALID_STATE' });
      await assert.rejects(reader.write('' as never), { code: 'ERR_INVALID_STATE' });
    }));

  test(`a socket receives itself after ${kind.name} was closed`, () =>
    connected(kind, async ({ client, reader, writer }) => {
      await reader.close();
      await writeAll(writer, MESSAGE);
      assert.equal((await client.recv(100)).toString(), MESSAGE);
    }));
}

const unbuffered = CLASSES[1];

test('a second unbuffered file goes on where readline() of the first stopped', () =>
  connected(unbuffered, async ({ client, reader, writer }) => {
    await writeAll(writer, `A. ${MESSAGE}B. ${MESSAGE}`);
    assert.equal(textOf(await reader.readline()), `A. ${MESSAGE}`);
    await using second = client.makefile('rb', { buffering: 0 });
    assert.equal(textOf(second.readlineSync()), `B. ${MESSAGE}`);
  }));

test('recv() on a closed socket works until its file is closed', () =>
  connected(unbuffered, async ({ client, reader, writer }) => {
    client.close();
    await writeAll(writer, MESSAGE);
    assert.equal((await client.recv(1024)).toString(), MESSAGE);
    await reader.close();
    await assert.rejects(client.recv(1024), { code: 'EBADF' });
  }));

test('readInto() and read() of an unbuffered file give null where they would wait at timeout 0', () =>
  connected(unbuffered, async ({ client, reader, writer }) => {
    client.setblocking(false);
    const room = Buffer.alloc(10);
    assert.equal(await reader.readInto(room), null);
    assert.equal(reader.readIntoSync(room), null);
    assert.equal(await reader.read(5), null);
    assert.equal(reader.readSync(5), null);
    assert.equal(await reader.read(), null);
    assert.equal(await reader.readline(), null);
    await writeAll(writer, MESSAGE);
    const first = (await reader.read(BYTES.length - 3)) as Buffer;
    const count = await reader.readInto(room);
    assert.equal(count, 3);
    assert.deepEqual(Buffer.concat([first, room.subarray(0, 3)]), BYTES);
    assert.equal(reader.readIntoSync(Buffer.alloc(16)), null);
    assert.equal(reader.readSync(1), null);
  }));

test('write() of an unbuffered file gives null once the socket takes no more at timeout 0', () =>
  connected(unbuffered, async ({ server, writer }) => {
    server.setblocking(false);
    server.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    const file = writer as SocketFile;
    const big = Buffer.alloc(1024 * 1024, 'x');
    const first = (await file.write(big)) as number;
    assert.ok(first > 0 && first < big.length);
    let count: number | null = first;
    for (let i = 0; i < 10 && count !== null; i++) count = file.writeSync(big);
    assert.equal(count, null);
  }));

test('write() of a buffered file at timeout 0 fails with EAGAIN and bytesWritten, and flush() goes on', async () => {
  const [left, right] = socketpair();
  left.setblocking(false);
  const file = left.makefile('wb', { buffering: 1000 });
  const big = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < big.length; i++) big[i] = i % 251;
  const error = await file.write(big).then(
    () => assert.fail('it fitted'),
    (reason: { code: string; bytesWritten: number }) => reason,
  );
  assert.equal(error.code, 'EAGAIN');
  assert.ok(error.bytesWritten > 1000 && error.bytesWritten < big.length);
  assert.throws(() => file.flushSync(), { code: 'EAGAIN' });
  const parts: Buffer[] = [];
  right.setblocking(false);
  for (let got = 0; got < error.bytesWritten; ) {
    const part = await right.recv(65536);
    got += part.length;
    parts.push(part);
    await file.flush().catch(() => undefined);
  }
  assert.deepEqual(Buffer.concat(parts), big.subarray(0, error.bytesWritten));
  file.closeSync();
  left.close();
  right.close();
});

test('makefile() refuses other modes with ERR_INVALID_ARG_VALUE and opens nothing', () => {
  using socket = new Socket(AF_INET, SOCK_STREAM);
  for (const mode of ['rt', 'x', '+', 'a'])
    assert.throws(() => socket.makefile(mode as 'r'), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /invalid mode/,
    });
  const wrong: [unknown, string][] = [
    [{ buffering: 0 }, 'ERR_INVALID_ARG_VALUE'],
    [{ buffering: 1.5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ encoding: 'klingon' }, 'ERR_INVALID_ARG_VALUE'],
    [{ errors: 'loud' }, 'ERR_INVALID_ARG_VALUE'],
    [{ newline: '\n\r' }, 'ERR_INVALID_ARG_VALUE'],
    ['utf-8', 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong)
    assert.throws(() => socket.makefile('r', options as object), { code });
  assert.throws(() => socket.makefile('w', { encoding: 'shift_jis' }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  socket.close();
  assert.equal(socket.fileno(), -1);
  assert.throws(() => socket.makefile(), { code: 'EBADF' });
});

test('the descriptor of a closed socket lives until the last of its files is closed', () => {
  const [left, right] = socketpair();
  const first = left.makefile('rb');
  const second = left.makefile('w');
  left.close();
  left.close();
  first.closeSync();
  first.closeSync();
  assert.ok(left.fileno() >= 0);
  second.writeSync('bye');
  second.closeSync();
  assert.equal(left.fileno(), -1);
  assert.equal(right.recvSync(10).toString(), 'bye');
  assert.equal(right.recvSync(10).length, 0);
  right.close();
});

test('a file iterates its lines, async and not', async () => {
  const [left, right] = socketpair();
  right.sendallSync(Buffer.from('one\ntwo\r\nthree\rfour\nfive'));
  right.close();
  const file = left.makefile();
  const lines = [];
  for await (const line of file) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  for (const line of file) lines.push(line);
  assert.deepEqual(lines, ['one\n', 'two\n', 'three\n', 'four\n', 'five']);
  file.closeSync();
  left.close();
});

test('an aborted read() loses nothing, and the next one has it', async () => {
  for (const buffering of [-1, 0, 4]) {
    const [left, right] = socketpair();
    await using file = left.makefile('rb', { buffering });
    right.sendSync(Buffer.from('half a li'));
    const controller = new AbortController();
    const reading = file.readline(-1, { signal: controller.signal });
    const queued = file.read(1, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await assert.rejects(reading, /enough/);
    await assert.rejects(queued, /enough/);
    await assert.rejects(file.read(1, { signal: controller.signal }), /enough/);
    right.sendSync(Buffer.from('ne\nnext'));
    assert.equal(textOf(await file.readline()), 'half a line\n');
    assert.equal(textOf(file.readSync(4)), 'next');
    left.close();
    right.close();
  }
});

test('reads called at once complete in order, and a Sync twin meanwhile is ERR_INVALID_STATE', async () => {
  const [left, right] = socketpair();
  const file = left.makefile('rb');
  const reads = Promise.all([file.read(2), file.readline(), file.readExactly(3)]);
  assert.throws(() => file.readSync(1), { code: 'ERR_INVALID_STATE' });
  await right.sendall(Buffer.from('abcd\nefg'));
  assert.deepEqual((await reads).map(textOf), ['ab', 'cd\n', 'efg']);
  await file.close();
  left.close();
  right.close();
});

test('close() rejects a read that waits and lets a write that waits finish', async () => {
  const [left, right] = socketpair();
  const file = left.makefile('rwb');
  const reading = file.read(1);
  const big = Buffer.alloc(1024 * 1024, 'y');
  const writing = file.write(big);
  const closing = file.close();
  assert.equal(file.closed, true);
  await assert.rejects(reading, { code: 'ERR_INVALID_STATE' });
  const received = right.recv(big.length, 0).then(async (first) => {
    let count = first.length;
    while (count < big.length) count += (await right.recv(big.length)).length;
    return count;
  });
  assert.equal(await writing, big.length);
  await closing;
  assert.equal(await received, big.length);
  left.close();
  right.close();
});

test('close() reports a flush that fails, and closes', async () => {
  const [left, right] = socketpair();
  const file = left.makefile('w');
  await file.write('to nobody');
  right.close();
  left.close();
  await assert.rejects(file.close(), { code: 'EPIPE' });
  assert.equal(left.fileno(), -1);
});

test('readExactly() and readUntil() fail with IncompleteReadError at the end of the stream', async () => {
  for (const buffering of [-1, 0]) {
    const [left, right] = socketpair();
    right.sendSync(Buffer.from('abc--defgh'));
    right.close();
    const file = left.makefile('rb', { buffering });
    assert.equal(textOf(await file.readUntil(Buffer.from('--'), { maxLength: 5 })), 'abc--');
    assert.throws(() => file.readUntilSync(Buffer.from('--'), { maxLength: 3 }), RangeError);
    assert.equal(textOf(file.readExactlySync(3)), 'def');
    await assert.rejects(file.readExactly(4), (error) => {
      assert.ok(error instanceof IncompleteReadError);
      assert.equal(error.code, 'ERR_INCOMPLETE_READ');
      assert.equal(error.expected, 4);
      assert.equal(error.partial.toString(), 'gh');
      return true;
    });
    await assert.rejects(file.readUntil(Buffer.from('--')), IncompleteReadError);
    await file.close();
    left.close();
  }
});

test('readUntil() and readExactly() of text count characters and take strings', async () => {
  const [left, right] = socketpair();
  right.sendSync(Buffer.from('😀→x;rest'));
  right.close();
  const file = left.makefile('r');
  assert.equal(await file.readExactly(1), '😀');
  assert.equal(await file.readUntil(';'), '→x;');
  await assert.rejects(file.readUntil(Buffer.from(';')), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => file.readIntoSync(Buffer.alloc(1)), { code: 'ERR_INVALID_STATE' });
  await assert.rejects(file.readUntil(';'), { partial: 'rest' });
  await file.close();
  left.close();
});

test('readInto() of a buffered file fills the buffer and reads past its own', async () => {
  const [left, right] = socketpair();
  const data = Buffer.alloc(100_000);
  for (let i = 0; i < data.length; i++) data[i] = i % 253;
  const sending = right.sendall(data);
  const file = left.makefile('rb', { buffering: 100 });
  const start = await file.read(7);
  const room = Buffer.alloc(data.length - 7);
  assert.equal(await file.readInto(room), room.length);
  await sending;
  assert.deepEqual(Buffer.concat([start as Buffer, room]), data);
  await file.close();
  left.close();
  right.close();
});

test('a line in newline null comes at its \\r, without waiting for what follows', async () => {
  const [left, right] = socketpair();
  const file = left.makefile('r');
  right.sendSync(Buffer.from('one\r'));
  assert.equal(await file.readline(), 'one\n');
  right.sendSync(Buffer.from('\ntwo\r\n'));
  assert.equal(await file.readline(), 'two\n');
  await file.close();
  left.close();
  right.close();
});

test('strict text fails at the first invalid byte, after the text before it', async () => {
  const [left, right] = socketpair();
  right.sendSync(Buffer.from([0x61, 0x62, 0xff, 0x63]));
  const file = left.makefile('r');
  assert.equal(await file.read(2), 'ab');
  await assert.rejects(file.read(1), {
    code: 'ERR_ENCODING_INVALID_ENCODED_DATA',
    message: /0xff/,
  });
  assert.throws(() => file.readlineSync(), { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
  await file.close();
  left.close();
  right.close();
});

test('writeSync() refuses text that the encoding lacks, or writes "?", or leaves it out', () => {
  const [left, right] = socketpair();
  const strict = left.makefile('w', { encoding: 'latin1' });
  assert.throws(() => strict.writeSync('→'), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => strict.writeSync(Buffer.from('x') as unknown as string), TypeError);
  const others = [
    left.makefile('w', { encoding: 'ascii', errors: 'replace' }),
    left.makefile('w', { encoding: 'windows-1252', errors: 'ignore', newline: '\r\n' }),
  ];
  for (const file of [strict, ...others]) {
    assert.equal(file.writeSync('é€\n'.slice(file === strict ? 2 : 0)), file === strict ? 1 : 3);
    file.closeSync();
  }
  assert.deepEqual(right.recvSync(100), Buffer.from('\n??\n\xe9\x80\r\n', 'latin1'));
  left.close();
  right.close();
});

test('a character of an East Asian encoding is whole however its bytes come', async () => {
  const [left, right] = socketpair();
  // U+65E5 U+672C, and a byte that ends the strict text (JIS X 0208 in Shift_JIS).
  right.sendSync(Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x0a, 0xff]));
  right.close();
  const file = left.makefile('r', { encoding: 'shift_jis', buffering: 1 });
  assert.equal(await file.readline(), '\u65e5\u672c\n');
  await assert.rejects(file.read(), { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
  await file.close();
  left.close();
});

test('a file of mode rw talks both ways, and a write does not disturb what was read ahead', async () => {
  const [left, right] = socketpair();
  await using here = left.makefile('rw', { newline: '\r\n' });
  await using there = right.makefile('rw');
  await there.write('one\ntwo\n');
  await there.flush();
  right.sendSync(Buffer.from('three\r\n'));
  assert.equal(await here.readline(), 'one\ntwo\nthree\r\n');
  assert.equal(await here.write('ans\nwer\n'), 8);
  here.flushSync();
  assert.equal(await there.readline(), 'ans\n');
  await there.write('late\r\n');
  await there.flush();
  assert.equal(there.readlineSync(), 'wer\n');
  assert.equal(await here.readline(), 'late\r\n');
  left.close();
  right.close();
});

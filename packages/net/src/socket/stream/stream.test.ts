import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import * as tls from 'node:tls';
import { AF_INET, SOCK_DGRAM } from '../../constants/index.ts';
import { checkStream } from '../../testing/index.ts';
import { Socket } from '../socket.ts';
import { socketpair } from '../socketpair.ts';

async function tcpPair(): Promise<[Socket, Socket]> {
  using listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen();
  const client = new Socket();
  await client.connect(listener.getsockname());
  const [server] = await listener.accept();
  return [client, server];
}

test('stream() of a Unix pair passes checkStream()', (t) =>
  checkStream(t, {
    connect: () => {
      const [left, right] = socketpair();
      return Promise.resolve([left.stream(), right.stream()]);
    },
  }));

test('stream() of a TCP connection passes checkStream()', (t) =>
  checkStream(t, {
    connect: async () => {
      const [left, right] = await tcpPair();
      return [left.stream(), right.stream()];
    },
  }));

test('readable and writable as a Duplex pass checkStream()', (t) =>
  checkStream(t, {
    connect: async () => {
      const [left, right] = await tcpPair();
      const { readable, writable } = left;
      return [Duplex.fromWeb({ readable, writable }), right.stream()];
    },
  }));

/** A key and a certificate for this run; openssl writes the key to a file only. */
function selfSigned(): { key: string; cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sockeye-'));
  const key = join(folder, 'key');
  const made = spawnSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      .concat(['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'])
      .concat(['-keyout', key, '-days', '1']),
    { encoding: 'utf8' },
  );
  const result =
    made.status === 0 ? { key: readFileSync(key, 'utf8'), cert: made.stdout } : undefined;
  rmSync(folder, { recursive: true });
  return result;
}

test('TLS over stream() at both ends passes checkStream()', async (t) => {
  const identity = selfSigned();
  if (identity === undefined) return t.skip('openssl is not installed');
  await checkStream(t, {
    // A TLSSocket answers the peer's close_notify with its own end.
    halfClose: false,
    connect: async () => {
      const [left, right] = await tcpPair();
      const server = new tls.TLSSocket(right.stream(), {
        isServer: true,
        secureContext: tls.createSecureContext(identity),
      });
      const client = tls.connect({
        socket: left.stream(),
        ca: identity.cert,
        servername: 'localhost',
      });
      await once(client, 'secureConnect');
      assert.equal(client.authorized, true);
      return [client, server];
    },
  });
});

test('http parses requests and answers over stream()', async () => {
  const [left, right] = await tcpPair();
  const server = createHttpServer((incoming, answer) => {
    incoming.pipe(answer);
  });
  server.emit('connection', right.stream());
  const outgoing = request({
    method: 'POST',
    createConnection: () => left.stream(),
  });
  const body = Buffer.alloc(300_000, 'http ');
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [Readable];
  assert.deepEqual(await buffer(incoming), body);
  left.stream().destroy();
  right.stream().destroy();
});

test('the socket is closed when both sides of its stream() have ended', async () => {
  const [left, right] = socketpair();
  left.stream().resume().end();
  right.stream().resume().end();
  await once(left.stream(), 'close');
  assert.equal(left.closed, true);
  assert.throws(() => left.readable, { code: 'ERR_INVALID_STATE' });
});

test('with allowHalfOpen false the stream ends when the peer does', async () => {
  const [left, right] = socketpair();
  const stream = left.stream({ allowHalfOpen: false }).resume();
  right.stream().end();
  await once(stream, 'close');
  assert.equal(left.closed, true);
  right.stream().destroy();
});

test("a reset is the stream's ECONNRESET, after the data that came before it", async () => {
  const [left, right] = await tcpPair();
  await right.sendall(Buffer.from('before'));
  const stream = left.stream();
  await once(stream, 'readable');
  right.options.set('SO_LINGER', { onoff: true, seconds: 0 });
  right.close();
  const failure = once(stream, 'error');
  assert.equal(stream.read().toString(), 'before');
  const [error] = (await failure) as [{ code: string; syscall: string }];
  assert.deepEqual([error.code, error.syscall], ['ECONNRESET', 'recv']);
  assert.equal(left.closed, true);
});

test("the socket's timeout is the stream's: a read that takes longer fails it", async () => {
  const [left, right] = socketpair();
  left.settimeout(0.01);
  const stream = left.stream().resume();
  const [error] = (await once(stream, 'error')) as [Error];
  assert.equal(error.name, 'TimeoutError');
  right.close();
});

test('stream() refuses a socket that cannot be one', () => {
  using datagram = new Socket(AF_INET, SOCK_DGRAM);
  assert.throws(() => datagram.stream(), { code: 'ERR_INVALID_STATE', message: /SOCK_STREAM/ });
  using socket = new Socket();
  socket.setblocking(false);
  assert.throws(() => socket.stream(), { code: 'ERR_INVALID_STATE', message: /timeout is 0/ });
  assert.throws(() => socket.writable, { code: 'ERR_INVALID_STATE' });
});

test("readable fills a reader's own buffers", async () => {
  const [left, right] = socketpair();
  await right.sendall(Buffer.from('abcdefgh'));
  const reader = left.readable.getReader({ mode: 'byob' });
  const first = await reader.read(new Uint8Array(3));
  assert.equal(Buffer.from(first.value as Uint8Array).toString(), 'abc');
  const second = await reader.read(new Uint8Array(100));
  assert.equal(Buffer.from(second.value as Uint8Array).toString(), 'defgh');
  right.close();
  assert.equal((await reader.read(new Uint8Array(10))).done, true);
  await left.writable.abort();
  assert.equal(left.closed, true);
});

test('readable gives chunks whose memory is their own', async () => {
  const [left, right] = socketpair();
  await right.sendall(Buffer.from('small'));
  right.close();
  const [chunk] = (await Readable.fromWeb(left.readable as never).toArray()) as [Uint8Array];
  assert.equal(chunk.buffer.byteLength, 5);
  // Detaching the pool's memory would break every small Buffer of the process.
  assert.equal(Buffer.from('still').toString(), 'still');
  left.close();
});

test('cancelling readable ends its wait and keeps writable, and the socket', async () => {
  const [left, right] = socketpair();
  const reader = left.readable.getReader();
  const reading = reader.read();
  await reader.cancel('enough');
  assert.equal((await reading).done, true);
  assert.equal(left.closed, false);
  const writer = left.writable.getWriter();
  await writer.write(Buffer.from('still here'));
  await writer.close();
  assert.equal(left.closed, true);
  assert.equal(await text(right.stream()), 'still here');
  right.stream().destroy();
});

test('aborting writable fails the write that waits and closes the socket', async () => {
  const [left, right] = socketpair();
  const writer = left.writable.getWriter();
  const writing = writer.write(Buffer.alloc(8 * 1024 * 1024));
  const reason = new Error('given up');
  await Promise.all([assert.rejects(writing), writer.abort(reason)]);
  assert.equal(left.closed, true);
  right.close();
});

test('writable refuses what is no bytes', async () => {
  const [left, right] = socketpair();
  await assert.rejects(left.writable.getWriter().write('text' as never), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  left.close();
  right.close();
});

test('pipeTo() of web streams echoes and closes', async () => {
  const [left, right] = await tcpPair();
  const echo = right.readable.pipeTo(right.writable);
  const data = Buffer.alloc(1_000_000, 'echo ');
  const back: Buffer[] = [];
  left.stream().on('data', (chunk: Buffer) => back.push(chunk));
  await Promise.all([pipeline(Readable.from([data]), left.stream()), echo]);
  await finished(left.stream());
  assert.deepEqual(Buffer.concat(back), data);
  assert.equal(right.closed, true);
  assert.equal(left.closed, true);
});

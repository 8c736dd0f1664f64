import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import {
  connect as connectTls,
  createSecureContext,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import type { InetAddress } from '../address/index.ts';
import { lines } from '../codec/index.ts';
import { type SocketError, TlsTruncatedError } from '../errors/index.ts';
import { framed } from '../framed/index.ts';
import { createConnection } from '../socket/index.ts';
import {
  type Certificate,
  needs,
  PythonPeer,
  selfSigned,
  TemporaryDirectory,
  until,
} from '../testing/index.ts';
import type { Connection } from './connection.ts';
import { ConnectionTimeoutError } from './connection-timeout-error.ts';
import { proxyHeader, ProxyProtocolError } from './proxy-protocol.ts';
import { serve } from './serve.ts';
import type { Handler, Server } from './server.ts';
import type { ServerOptions } from './server-options.ts';

const openssl = await needs('openssl');
const directory = new TemporaryDirectory();
process.on('exit', () => directory[Symbol.dispose]());

const certificates = new Map<string, Certificate>();
function certificateOf(name: string): Certificate {
  const known = certificates.get(name) ?? selfSigned(directory, name);
  certificates.set(name, known);
  return known;
}

const echo: Handler = async (connection) => {
  for await (const chunk of connection) await connection.sendall(chunk);
};

function start(
  handler: Handler,
  tls: TlsOptions = {},
  options: ServerOptions = {},
): Promise<Server> {
  const { key, cert } = certificateOf('first.test');
  const address = { host: '127.0.0.1', port: 0 };
  return serve(address, handler, { drainTimeoutMs: 100, tls: { key, cert, ...tls }, ...options });
}

async function connect(server: Server, options: object = {}): Promise<TLSSocket> {
  const { host, port } = server.address as InetAddress;
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

test('serve() with tls echoes to Python, which checks the certificate', openssl, async () => {
  await using server = await start(echo);
  await using peer = new PythonPeer(
    `
    import ssl
    context = ssl.create_default_context(cafile=args[1])
    raw = socket.create_connection(tuple(args[0]))
    with context.wrap_socket(raw, server_hostname='first.test') as s:
        data = os.urandom(300000)
        threading.Thread(target=lambda: s.sendall(data)).start()
        say(receive_exactly(s, len(data)) == data)
        s.unwrap()
    `,
    ['127.0.0.1', (server.address as InetAddress).port],
    certificateOf('first.test').certFile,
  );
  assert.equal(await peer.hear(), true);
  await peer.end();
  await until(() => server.connections === 0, 'it is closed');
  assert.equal(server.counters.handshakeErrors, 0);
});

test('serve() with tls talks to openssl s_client, with SNI and ALPN', openssl, async () => {
  const other = certificateOf('second.test');
  let seen: unknown[] = [];
  await using server = await start(
    async (connection) => {
      seen = [connection.servername, connection.alpnProtocol];
      const text = await connection.recv();
      await connection.sendall(Buffer.from(`got ${text.toString()}`));
    },
    {
      ALPNProtocols: ['chat', 'h9'],
      SNICallback: (name, done) =>
        done(null, name === 'second.test' ? createSecureContext(other) : undefined),
    },
  );
  const { port } = server.address as InetAddress;
  const checked = ['s_client', '-quiet', '-verify_return_error', '-CAfile', other.certFile];
  const asked = ['-connect', `127.0.0.1:${port}`, '-servername', 'second.test', '-alpn', 'x,h9'];
  const client = spawn('openssl', checked.concat(asked));
  client.stdin.write('hello\n');
  const [text] = (await once(client.stdout, 'data')) as [Buffer];
  assert.equal(String(text), 'got hello\n');
  assert.deepEqual(seen, ['second.test', 'h9']);
  client.kill();
  await once(client, 'close');
});

test('a client certificate is asked for, checked and shown', openssl, async () => {
  const trusted = certificateOf('client.test');
  const stranger = certificateOf('stranger.test');
  const names: unknown[] = [];
  await using server = await start(
    async (connection) => {
      names.push(
        (connection as Connection & { tls: TLSSocket }).tls.getPeerCertificate().subject.CN,
      );
      await connection.sendall(Buffer.from('in'));
    },
    { requestCert: true, rejectUnauthorized: true, ca: [trusted.cert] },
  );
  const good = await connect(server, { key: trusted.key, cert: trusted.cert });
  assert.equal(String(((await once(good, 'data')) as [Buffer])[0]), 'in');
  good.destroy();
  const failed = once(server, 'disconnect');
  const { host, port } = server.address as InetAddress;
  const { key, cert } = stranger;
  const bad = connectTls({ host, port, rejectUnauthorized: false, key, cert });
  bad.on('error', () => undefined);
  await failed;
  bad.destroy();
  assert.deepEqual(names, ['client.test']);
  assert.equal(server.counters.handshakeErrors, 1);
  assert.equal(server.counters.handlerErrors, 0);
});

test(
  'setSecureContext() is for connections from then on; those that are open keep theirs',
  openssl,
  async () => {
    await using server = await start(echo);
    const name = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;
    const first = await connect(server);
    server.setSecureContext(certificateOf('second.test'));
    const second = await connect(server);
    assert.deepEqual([name(first), name(second)], ['first.test', 'second.test']);
    first.write('still');
    assert.equal(String(((await once(first, 'data')) as [Buffer])[0]), 'still');
    first.destroy();
    second.destroy();
    await using plain = await serve({ host: '127.0.0.1', port: 0 }, echo, { drainTimeoutMs: 50 });
    assert.throws(() => plain.setSecureContext({}), { code: 'ERR_INVALID_STATE' });
  },
);

test(
  '200 handshakes at once, good and bad, are each told to their own connection',
  openssl,
  async () => {
    const wrong: [string, string][] = [];
    await using server = await start(
      async (connection) => {
        const { tls, remote } = connection as Connection & { tls: TLSSocket };
        const { port } = remote as InetAddress;
        // What the client says is its own port: another's stream would say another's.
        const said = String(await connection.recv());
        if (said !== `${port} ${String(tls.alpnProtocol)}`) wrong.push([said, String(port)]);
        await connection.sendall(Buffer.from(said));
      },
      { ALPNProtocols: ['a', 'b', 'c'] },
    );
    const failed = new Map<number, string>();
    server.on('disconnect', (error, connection) => {
      failed.set((connection.remote as InetAddress).port, (error as Error & { code: string }).code);
    });
    const { host, port } = server.address as InetAddress;
    const good = async (alpn: string): Promise<void> => {
      const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: [alpn] });
      await once(socket, 'secureConnect');
      const said = `${socket.localPort} ${alpn}`;
      socket.write(said);
      assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), said);
      socket.destroy();
    };
    const expected = new Map<number, string>();
    const bad = async (bytes: string, code: string): Promise<void> => {
      const socket = await createConnection({ host, port });
      expected.set(socket.getsockname().port, code);
      await socket.sendall(Buffer.from(bytes));
      while ((await socket.recv(100)).length > 0);
      socket.close();
    };
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => [
        good('abc'[i % 3] as string),
        good('abc'[(i + 1) % 3] as string),
        bad('GET / HTTP/1.1\r\n\r\n', 'ERR_SSL_HTTP_REQUEST'),
        bad('\x16\x03\x01\x00\x05hello', 'ERR_SSL_UNEXPECTED_MESSAGE'),
      ]).flat(),
    );
    await until(() => server.connections === 0, 'all are done');
    assert.deepEqual(wrong, []);
    assert.deepEqual(failed, expected);
  },
);

// The test runner follows promises itself, so that only a process of its own can tell.
const FOLLOWED = `
import { executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
const [serverModule, keyFile, certFile] = process.argv.slice(1);
const { serve } = await import(serverModule);
const isFollowed = async () =>
  (await Promise.resolve().then(executionAsyncId)) !==
  (await Promise.resolve().then(executionAsyncId));
const said = [await isFollowed()];
const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
const server = await serve({ host: '127.0.0.1', port: 0 }, (connection) => connection.recv(), { tls });
for (let i = 0; i < 2; i++) {
  const client = connect({ ...server.address, rejectUnauthorized: false });
  await once(client, 'secureConnect');
  while (server.connections === 0) await new Promise(setImmediate);
  client.write('x');
  await once(client, 'end');
  said.push(await isFollowed());
  client.destroy();
}
console.log(said.join());
process.exit();`;

test('after a handshake no promise of the process is followed', openssl, () => {
  const { keyFile, certFile } = certificateOf('first.test');
  const module = new URL('./index.js', import.meta.url).href;
  const args = ['--input-type=module', '-e', FOLLOWED, module, keyFile, certFile];
  const said = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(said, 'false,false,false\n');
});

test('a peer that speaks no TLS fails its own handshake only', openssl, async () => {
  await using server = await start(echo);
  const failed = once(server, 'disconnect');
  const plain = await createConnection(server.address as InetAddress);
  await plain.sendall(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  const [error] = (await failed) as [Error & { code: string }];
  assert.match(error.code, /^ERR_SSL_/);
  const good = await connect(server);
  good.end('x');
  assert.equal(String(((await once(good, 'data')) as [Buffer])[0]), 'x');
  plain.close();
});

test('a PROXY header stands before the handshake', openssl, async () => {
  const tell: Handler = (connection, address) =>
    connection.sendall(Buffer.from((address as InetAddress).host));
  await using server = await start(tell, {}, { proxyProtocol: { trusted: ['127.0.0.1'] } });
  const { host, port } = server.address as InetAddress;
  for (const version of [1, 2] as const) {
    const socket = connectTcp(port, host);
    const [from, to] = [
      { host: '192.0.2.7', port: 5 },
      { host, port },
    ];
    socket.write(proxyHeader(version, from, to));
    const client = connectTls({ socket, rejectUnauthorized: false });
    assert.equal(String(((await once(client, 'data')) as [Buffer])[0]), '192.0.2.7');
    client.destroy();
  }
  const failed = once(server, 'disconnect');
  const bare = connectTls({ host, port, rejectUnauthorized: false });
  bare.on('error', () => undefined);
  assert.ok(((await failed) as [Error])[0] instanceof ProxyProtocolError);
  bare.destroy();
  assert.equal(server.counters.handshakeErrors, 1);
});

test('framed() works on TLS, and what was sent last arrives before the end', openssl, async () => {
  await using server = await start(async (connection) => {
    const messages = framed(connection, lines());
    for await (const line of messages) {
      void messages.send(line.toUpperCase());
      if (line === 'quit') return;
    }
  });
  const client = await connect(server);
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  client.write(Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(''));
  client.write('quit\nafter\n');
  await once(client, 'end');
  const expected = `${Array.from({ length: 2000 }, (_, i) => `LINE ${i}\n`).join('')}QUIT\n`;
  assert.equal(Buffer.concat(chunks).toString(), expected);
  client.destroy();
});

test(
  'recv(size) on TLS hands out the decrypted bytes in order, to several callers too',
  openssl,
  async () => {
    let got: Buffer[] = [];
    await using server = await start(async (connection) => {
      const buffer = Buffer.alloc(3);
      got = await Promise.all([connection.recv(2), connection.recv(3), connection.recv(100)]);
      const count = await connection.recvInto(buffer);
      got.push(buffer.subarray(0, count));
    });
    const client = await connect(server);
    client.write('abcdefgh');
    await until(() => got.length === 3, 'the first three');
    client.end('xyz');
    await until(() => server.connections === 0, 'the handler is done');
    assert.deepEqual(got.map(String), ['ab', 'cde', 'fgh', 'xyz']);
    client.destroy();
  },
);

/** What an echo server tells of a client of Python's that ends in its own way. */
async function endOf(way: string): Promise<{ received: string; error: unknown }> {
  const told: { received: string; error: unknown } = { received: '', error: undefined };
  await using server = await start(async (connection) => {
    // Who resets may do so before it.
    await connection.sendall(Buffer.from('hello')).catch(() => undefined);
    for await (const chunk of connection) told.received += chunk.toString();
  });
  server.on('disconnect', (error) => (told.error = error));
  await using peer = new PythonPeer(
    `
    import ssl, struct
    context = ssl.create_default_context(cafile=args[1])
    raw = socket.create_connection(tuple(args[0]))
    # Else a reset would overtake what Nagle's algorithm holds back.
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s = context.wrap_socket(raw, server_hostname='first.test', suppress_ragged_eofs=False)
    s.sendall(b'last words')
    ${way}
    `,
    ['127.0.0.1', (server.address as InetAddress).port],
    certificateOf('first.test').certFile,
  );
  await peer.end();
  await until(() => server.connections === 0, 'it is closed');
  return told;
}

// RFC 8446, section 6.1: close_notify is the end, a FIN is none.
test('the end of a TLS connection is its close_notify', openssl, async () => {
  const told = await endOf('s.recv(5); s.unwrap(); s.close()');
  assert.deepEqual(told, { received: 'last words', error: undefined });
});

test('a reset after close_notify is no failure: the peer had said all', openssl, async () => {
  // SO_LINGER 0 makes close a reset: socket(7). The answer of shutdown(2) is waited for.
  const told = await endOf(`s.setblocking(False)
    try: s.unwrap()
    except (ssl.SSLWantReadError, OSError): pass
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()`);
  assert.deepEqual(told, { received: 'last words', error: undefined });
});

test(
  'a FIN without close_notify fails after the last byte, and is no fault of the handler',
  openssl,
  async () => {
    const { received, error } = await endOf('s.recv(5); s.close()');
    assert.equal(received, 'last words');
    assert.ok(error instanceof TlsTruncatedError, String(error));
  },
);

test('a reset without close_notify is told as a reset', openssl, async () => {
  const { received, error } = await endOf(
    "s.recv(5); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()",
  );
  assert.equal(received, 'last words');
  assert.equal((error as SocketError).code, 'ECONNRESET');
});

test(
  'idleTimeoutMs ends a TLS connection under its handler, with its own error',
  openssl,
  async () => {
    await using server = await start(echo, {}, { idleTimeoutMs: 150 });
    const gone = once(server, 'disconnect');
    const client = await connect(server);
    client.on('error', () => undefined);
    client.resume();
    const [error] = (await gone) as [Error];
    assert.ok(error instanceof ConnectionTimeoutError, String(error));
    assert.equal(server.counters.timeouts.idle, 1);
    await until(() => client.closed, 'the client has heard of it');
  },
);

test(
  'a client that is still sending gets all of the answer of a handler that is done',
  openssl,
  async () => {
    // More than a socket and TLS take ahead of the handler: a close over it would be a reset, which
    // discards what the server's kernel still has of the answer, since the client's takes little.
    const [sentBytes, answerBytes] = [600_000, 100_000];
    await using server = await start(async (connection) => {
      connection.socket.options.set('SO_SNDBUF', 2 * answerBytes);
      await connection.recv(1);
      await connection.sendall(Buffer.alloc(answerBytes));
    });
    const ended = once(server, 'end');
    const { port } = server.address as InetAddress;
    await using client = new PythonPeer(
      `
    import ssl
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(('127.0.0.1', args[0]))
    s = context.wrap_socket(raw, suppress_ragged_eofs=False)
    s.sendall(bytes(args[1]))
    hear()
    got = 0
    try:
        while piece := s.recv(65536): got += len(piece)
        say([got, 'end'])
    except OSError as error: say([got, str(error)])
    `,
      port,
      sentBytes,
    );
    await ended;
    client.say('read now');
    assert.deepEqual(await client.hear(), [answerBytes, 'end']);
  },
);

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  addressOf,
  certificate,
  freePort,
  missing,
  python,
  Running,
  run,
  serve,
  start,
  startListening,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const skip = missing('openssl');
const ANYWHERE = 'tls://127.0.0.1:0';

function files(t: TestContext) {
  const own = certificate(temporaryDirectory(t));
  return { ...own, flags: ['--cert', own.cert, '--key', own.key] };
}

async function sslServer(t: TestContext, ...args: string[]): Promise<[Running, string]> {
  const { cert, key } = files(t);
  const server = new Running(t, 'openssl', [
    's_server',
    '-accept',
    '127.0.0.1:0',
    '-cert',
    cert,
    '-key',
    key,
    ...args,
  ]);
  const port = await server.until(({ stdout }) => /ACCEPT \S+:(\d+)/.exec(stdout.toString())?.[1]);
  return [server, `tls://127.0.0.1:${port}`];
}

test('sockeye serve tls:// talks to openssl s_client, with ALPN', { skip }, async (t) => {
  const { cert, flags } = files(t);
  const server = await serve(t, [ANYWHERE], ...flags, '--alpn', 'h2,echo');
  const client = new Running(t, 'openssl', [
    's_client',
    '-connect',
    `127.0.0.1:${server.ports[0]}`,
    '-CAfile',
    cert,
    '-verify_return_error',
    '-alpn',
    'echo',
    '-servername',
    'localhost',
  ]);
  await client.until(({ stdout }) => /Verify return code: 0 \(ok\)/.test(stdout.toString()));
  assert.match(client.stdout.toString(), /ALPN protocol: echo/);
  client.child.stdin.write('有声\n');
  await client.until(({ stdout }) => stdout.toString().endsWith('有声\n'));
});

test('sockeye serve tls:// answers curl', { skip: skip || missing('curl') }, async (t) => {
  const { cert, flags } = files(t);
  const server = await serve(
    t,
    [ANYWHERE],
    ...flags,
    '--hello',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
  );
  const url = `https://localhost:${server.ports[0]}/`;
  const curl = new Running(t, 'curl', ['-s', '--cacert', cert, '-4', url]);
  const { status, stdout } = await curl.exit();
  assert.deepEqual([status, stdout], [0, 'hi']);
});

test('sockeye serve tls:// goes on after a client that speaks no TLS', { skip }, async (t) => {
  const { cert, flags } = files(t);
  const server = await serve(t, [ANYWHERE], ...flags, '--verbose');
  await run(t, ['connect', `127.0.0.1:${server.ports[0]}`], 'GET / HTTP/1.1\r\n\r\n');
  await server.until(({ stderr }) =>
    /refused tls:\S+ .*(wrong version number|http request)/.test(stderr),
  );
  const { stdout } = await run(t, ['connect', addressOf(server), '--ca', cert], 'still here');
  assert.equal(stdout, 'still here');
});

test('sockeye connect tls:// to a server without TLS asks whether it speaks TLS', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--greeting', 'hello');
  const { status, stderr } = await run(t, ['connect', `tls://127.0.0.1:${server.ports[0]}`]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot .* does the other side speak TLS\?\n$/);
});

test('sockeye serve tls:// --ca takes only clients that it vouches for', { skip }, async (t) => {
  const { cert, flags } = files(t);
  const stranger = files(t);
  const server = await serve(t, [ANYWHERE], ...flags, '--ca', cert);
  const connect = (...own: string[]) =>
    run(t, ['connect', addressOf(server), '--ca', cert, ...own], 'hello');
  assert.equal((await connect(...flags)).stdout, 'hello');
  // With TLS 1.3 the client learns of it only when it reads (RFC 8446, section 4.4.2.4).
  assert.equal((await connect(...stranger.flags)).stdout, '');
  assert.equal((await connect()).stdout, '');
});

test('sockeye connect tls:// talks to openssl s_server', { skip }, async (t) => {
  const [, address] = await sslServer(t, '-rev', '-alpn', 'reverse');
  const connect = (name: string) => start(t, 'connect', address, '--insecure', '--alpn', name);
  const other = await connect('other').exit();
  assert.equal(other.status, 1);
  assert.match(other.stderr, /no.application.protocol/);
  const client = connect('reverse');
  client.child.stdin.write('abc\n');
  await client.until(({ stdout }) => stdout.toString() === 'cba\n');
});

test('sockeye connect tls:// exits 1 unless somebody vouches for the certificate', {
  skip,
}, async (t) => {
  const { cert, flags } = files(t);
  const server = await serve(t, [ANYWHERE], ...flags);
  const connect = (...args: string[]) => run(t, ['connect', addressOf(server), ...args], 'x');
  const refused = await connect();
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(
    refused.stderr,
    /^sockeye: cannot connect to tls:[^\n]*nothing vouches for its certificate \(DEPTH_ZERO_SELF_SIGNED_CERT\)[^\n]*\n$/,
  );
  const misnamed = await connect('--ca', cert, '--servername', 'example.com');
  assert.equal(misnamed.status, 1);
  assert.match(misnamed.stderr, /its certificate is for another name/);
  for (const args of [
    ['--insecure'],
    ['--ca', cert],
    ['--ca', cert, '--servername', 'localhost'],
  ]) {
    const { status, stdout, stderr } = await connect(...args);
    assert.deepEqual([status, stdout, stderr], [0, 'x', '']);
  }
});

test('sockeye listen tls:// and sockeye connect tls:// pass half-closes on', {
  skip,
}, async (t) => {
  const { cert, flags } = files(t);
  const listener = await startListening(t, ['listen', ANYWHERE, ...flags]);
  const connecting = run(t, ['connect', addressOf(listener), '--ca', cert], 'question');
  await listener.until(({ stdout }) => stdout.toString() === 'question');
  listener.child.stdin.end('answer');
  const { status, stdout } = await connecting;
  assert.deepEqual([status, stdout], [0, 'answer']);
  assert.equal((await listener.exit()).status, 0);
});

test('sockeye listen tls:// takes openssl s_client', { skip }, async (t) => {
  const { flags } = files(t);
  const listener = await startListening(t, ['listen', ANYWHERE, ...flags]);
  const client = new Running(t, 'openssl', [
    's_client',
    '-quiet',
    '-no_ign_eof',
    '-connect',
    `127.0.0.1:${listener.ports[0]}`,
  ]);
  listener.child.stdin.write('to the client\n');
  await client.until(({ stdout }) => stdout.toString() === 'to the client\n');
  client.child.stdin.end('from the client\n');
  await listener.until(({ stdout }) => stdout.toString() === 'from the client\n');
  listener.child.stdin.end();
  assert.equal((await listener.exit()).status, 0);
});

const PYTHON_END = (way: string): string => `import ssl, struct
c = ssl._create_unverified_context()
raw = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s = c.wrap_socket(raw)
s.recv(5)
s.sendall(b'last words')
${way}`;

const RESET =
  "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()";

/** How a client ends, and what that comes to: RFC 8446, section 6.1. */
const ENDS: readonly [string, string, number, RegExp][] = [
  ['close_notify', 's.unwrap()', 0, /^$/],
  [
    'close_notify and then a reset',
    `s.setblocking(False)\ntry: s.unwrap()\nexcept OSError: pass\n${RESET}`,
    0,
    /^$/,
  ],
  [
    'a FIN alone',
    's.shutdown(socket.SHUT_WR); s.close()',
    1,
    /without TLS’s close_notify.*ERR_TLS_TRUNCATED.*--ignore-unexpected-eof/,
  ],
  ['a reset', RESET, 1, /connection reset by peer \(ECONNRESET\)/],
];

for (const [name, way, status, told] of ENDS) {
  test(`sockeye listen tls:// ends with ${status} after ${name}, and with every byte`, {
    skip,
  }, async (t) => {
    const { flags } = files(t);
    const listener = await startListening(t, ['listen', ANYWHERE, ...flags]);
    listener.child.stdin.end('hello');
    await python(t, PYTHON_END(way), listener.ports[0] as number);
    const { stdout, stderr, status: own } = await listener.exit();
    assert.equal(stdout, 'last words');
    assert.match(stderr.replace(/^(listening|connected) .*\n/gm, ''), told);
    assert.equal(own, status);
  });
}

test('sockeye listen tls:// --ignore-unexpected-eof takes a FIN alone for the end, and no reset', {
  skip,
}, async (t) => {
  const { flags } = files(t);
  for (const [, way, , told] of ENDS.slice(2)) {
    const listener = await startListening(t, [
      'listen',
      ANYWHERE,
      '--ignore-unexpected-eof',
      ...flags,
    ]);
    listener.child.stdin.end('hello');
    await python(t, PYTHON_END(way), listener.ports[0] as number);
    const { stdout, stderr, status } = await listener.exit();
    assert.equal(stdout, 'last words');
    if (way === RESET) assert.match(stderr, told);
    assert.equal(status, way === RESET ? 1 : 0);
  }
});

/** Programs that send what stdin has over TLS; whether they say close_notify at the end. */
const SENDERS: readonly [string, (port: number, cert: string) => string[], boolean][] = [
  ['socat', (port, cert) => ['-u', '-', `OPENSSL:127.0.0.1:${port},cafile=${cert}`], true],
  [
    'openssl',
    (port) => ['s_client', '-quiet', '-no_ign_eof', '-connect', `127.0.0.1:${port}`],
    true,
  ],
  ['ncat', (port) => ['--ssl', '127.0.0.1', String(port)], false],
];

for (const [program, args, saysEnd] of SENDERS) {
  const how = saysEnd ? 'close_notify' : 'no close_notify';
  test(`sockeye listen tls:// gets ${how} of ${program}`, {
    skip: skip || missing(program),
  }, async (t) => {
    const { cert, flags } = files(t);
    const listener = await startListening(t, ['listen', ANYWHERE, '--no-shutdown', ...flags]);
    listener.child.stdin.end();
    const sender = new Running(t, program, args(listener.ports[0] as number, cert));
    sender.child.stdin.end('all of it\n');
    const { status, stdout, stderr } = await listener.exit();
    assert.equal(stdout, 'all of it\n');
    assert.deepEqual([status, /ERR_TLS_TRUNCATED/.test(stderr)], saysEnd ? [0, false] : [1, true]);
  });
}

test('sockeye connect tls:// loses nothing before a reset, to a slow reader', {
  skip,
}, async (t) => {
  const { cert, key } = files(t);
  const server = startPython(
    t,
    `import ssl, struct
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1], flush=True)
s = c.wrap_socket(l.accept()[0], server_side=True)
s.sendall(b'x' * 3000000)
sys.stdin.readline()
${RESET}`,
    cert,
    key,
  );
  const port = await server.until(({ stdout }) => /^\d+/.exec(stdout.toString())?.[0]);
  const client = start(t, 'connect', `tls://127.0.0.1:${port}`, '--insecure', '--no-shutdown');
  client.child.stdin.end();
  client.child.stdout.removeAllListeners('data');
  let bytes = 0;
  for await (const chunk of client.child.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // The server has sent all of it before it may reset.
    if (bytes === 3_000_000) server.child.stdin.end('now\n');
    await nextTurn();
  }
  assert.equal(bytes, 3_000_000);
  const { status, stderr } = await client.exit();
  assert.deepEqual([status, /ECONNRESET/.test(stderr)], [1, true]);
});

for (const [more, reason] of [
  [[], /without TLS’s close_notify/],
  [['--ignore-unexpected-eof'], /^done$/],
] as const) {
  test(`sockeye serve tls:// ${more.join('')} says of a FIN alone: ${reason.source}`, {
    skip,
  }, async (t) => {
    const { flags } = files(t);
    const module = join(temporaryDirectory(t), 'h.mjs');
    writeFileSync(module, 'export default async (c) => { for await (const _ of c); };');
    for (const behaviour of [[], ['--module', module]]) {
      const server = await serve(
        t,
        [ANYWHERE],
        '--json',
        '--greeting',
        'hello',
        ...behaviour,
        ...flags,
        ...more,
      );
      await python(
        t,
        PYTHON_END('s.shutdown(socket.SHUT_WR)\nwhile s.recv(1000): pass'),
        server.ports[0] as number,
      );
      const event = await server.until(({ stdout }) =>
        /^.*"disconnected".*$/m.exec(stdout.toString()),
      );
      assert.match((JSON.parse(event[0]) as { reason: string }).reason, reason);
    }
  });
}

for (const version of ['TLSv1.3', 'TLSv1.2']) {
  test(`sockeye connect sends what stdin has to a ${version} peer that ended without close_notify, then exits 1`, {
    skip: missing('openssl'),
  }, async (t) => {
    const { cert, key } = certificate(temporaryDirectory(t));
    const server = startPython(
      t,
      `import os, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
context.maximum_version = ssl.TLSVersion[sys.argv[3].replace('.', '_')]
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c = context.wrap_socket(l.accept()[0], server_side=True)
c.sendall(b'half'); socket.socket(fileno=os.dup(c.fileno())).shutdown(socket.SHUT_WR)
data = b''
while more := c.recv(65536): data += more
print(len(data))`,
      cert,
      key,
      version,
    );
    const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const client = start(t, 'connect', `tls://localhost:${port}`, '--ca', cert);
    // What came before the cut is shown; stdin comes after it.
    await client.until(({ stdout }) => stdout.toString() === 'half');
    client.child.stdin.end('x'.repeat(300_000));
    const { status, stderr } = await client.exit();
    assert.equal(status, 1);
    assert.match(stderr, /^sockeye: cannot receive from [^\n]+; --ignore-unexpected-eof [^\n]+\n$/);
    assert.equal((await server.exit()).stdout.split('\n')[1], '300000');
  });
}

test('sockeye connect sends its line to ncat --ssl, which ends at once without close_notify', {
  skip: missing('ncat') || missing('openssl'),
}, async (t) => {
  const { cert, key } = certificate(temporaryDirectory(t));
  const port = await freePort(t);
  const args = ['-v', '-l', '127.0.0.1', `${port}`, '--ssl', '--ssl-cert', cert, '--ssl-key', key];
  const server = new Running(t, 'ncat', args);
  server.child.stdin.end();
  await server.until(({ stderr: said }) => said.includes('Listening on'));
  const { status } = await run(t, ['connect', `tls://localhost:${port}`, '--ca', cert], 'hello\n');
  assert.equal(status, 1);
  assert.equal((await server.exit()).stdout, 'hello\n');
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
  addressOf,
  certificate,
  freePort,
  missing,
  Running,
  run,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import { portOf, program } from './program.test.util.ts';

let cert = '';
let key = '';

before(() => {
  if (missing('openssl')) return;
  const directory = mkdtempSync(join(tmpdir(), 'sockeye-'));
  ({ cert, key } = certificate(directory));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
});

/** What people have at hand, as a client of a port: it sends its stdin and prints what comes. */
const CLIENTS = {
  nc: (port: number) => ['nc', '-N', '127.0.0.1', `${port}`],
  socat: (port: number) => ['socat', '-t', '10', '-', `TCP:127.0.0.1:${port}`],
  s_client: (port: number) => [
    'openssl',
    's_client',
    '-quiet',
    '-verify_quiet',
    '-verify_return_error',
    '-CAfile',
    cert,
    '-connect',
    `localhost:${port}`,
  ],
  'socat over TLS': (port: number) => [
    'socat',
    '-t',
    '10',
    '-',
    `OPENSSL:localhost:${port},cafile=${cert}`,
  ],
  'Python over TLS': (port: number) => [
    'python3',
    '-c',
    `import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
c = context.wrap_socket(socket.create_connection(('localhost', int(sys.argv[2]))), server_hostname='localhost')
for line in sys.stdin.buffer:
    c.sendall(line)
    sys.stdout.buffer.write(c.recv(1000)); sys.stdout.flush()
c.unwrap()`,
    cert,
    `${port}`,
  ],
  'nc over UDP': (port: number) => ['nc', '-u', '127.0.0.1', `${port}`],
} as const;

type Client = keyof typeof CLIENTS;

function absent(client: Client): string | false {
  const [file = ''] = CLIENTS[client](0);
  return missing(file) || missing('openssl');
}

function startClient(t: TestContext, client: Client, port: number): Running {
  const [file = '', ...args] = CLIENTS[client](port);
  return new Running(t, file, args);
}

/** Says hello and waits for the answer. */
async function hello(
  t: TestContext,
  client: Client,
  port: number,
  answer: string,
): Promise<Running> {
  const running = startClient(t, client, port);
  running.child.stdin.write('hello\n');
  await running.until(({ stdout }) => stdout.toString() === answer);
  return running;
}

const TLS = ['--cert', 'CERT', '--key', 'KEY'];

function own(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace('CERT', cert).replace('KEY', key));
}

for (const [args, clients] of [
  [
    ['serve', '127.0.0.1:0', '--reply', 're: '],
    ['nc', 'socat'],
  ],
  [
    ['serve', 'tls://127.0.0.1:0', '--reply', 're: ', ...TLS],
    ['s_client', 'socat over TLS', 'Python over TLS'],
  ],
  [['serve', 'udp://127.0.0.1:0', '--reply', 're: '], ['nc over UDP']],
] as const) {
  for (const client of clients) {
    test(`the program of sockeye ${args.join(' ')} --emit answers ${client}`, {
      skip: absent(client),
    }, async (t) => {
      const server = await program(t, own(args));
      await hello(t, client, await portOf(server), 're: hello\n');
    });
  }
}

for (const [address, clients] of [
  ['127.0.0.1:0', ['nc', 'socat']],
  ['tls://127.0.0.1:0', ['s_client', 'socat over TLS', 'Python over TLS']],
  ['udp://127.0.0.1:0', ['nc over UDP']],
] as const) {
  for (const client of clients) {
    test(`the program of sockeye listen ${address} --emit talks with ${client}`, {
      skip: absent(client),
    }, async (t) => {
      const tls = address.startsWith('tls') ? own(TLS) : [];
      const listener = await program(t, ['listen', address, ...tls]);
      const port = await portOf(listener);
      const peer = startClient(t, client, port);
      peer.child.stdin.write('hello\n');
      await listener.until(({ stdout }) => stdout.toString() === 'hello\n');
      listener.child.stdin.write('back\n');
      await peer.until(({ stdout }) => stdout.toString() === 'back\n');
      if (client === 'nc over UDP' || client === 's_client') return;
      listener.child.stdin.end();
      peer.child.stdin.end();
      const { status, stdout } = await listener.exit();
      assert.deepEqual([status, stdout], [0, 'hello\n']);
      assert.equal((await peer.exit()).status, 0);
    });
  }
}

test('the program of sockeye listen --keep --emit takes one nc after another', {
  skip: missing('nc'),
}, async (t) => {
  const listener = await program(t, ['listen', '127.0.0.1:0', '--keep']);
  const port = await portOf(listener);
  listener.child.stdin.end();
  for (const word of ['one\n', 'two\n']) {
    const peer = startClient(t, 'nc', port);
    peer.child.stdin.end(word);
    assert.equal((await peer.exit()).status, 0);
  }
  await listener.until(({ stdout }) => stdout.toString() === 'one\ntwo\n');
});

// Where a target is: its transport, and the flags of the forwarder that go with it.
for (const [from, to, client] of [
  ['tcp', 'tcp', 'nc'],
  ['tcp', 'unix', 'socat'],
  ['tcp', 'unix-seqpacket', 'nc'],
  ['tcp', 'tls', 'nc'],
  ['tcp', 'udp', 'nc'],
  ['tls', 'tcp', 's_client'],
  ['tls', 'unix', 'socat over TLS'],
  ['tls', 'tls', 'Python over TLS'],
  ['udp', 'udp', 'nc over UDP'],
] as const) {
  test(`the program of sockeye forward ${from}:// ${to}:// --emit carries ${client}`, {
    skip: absent(client),
  }, async (t) => {
    const isUnix = to.startsWith('unix');
    const where = isUnix ? `${to}://${join(temporaryDirectory(t), 's')}` : `${to}://127.0.0.1:0`;
    const tls = own(TLS);
    const target = await serve(t, [where], '--reply', 're: ', ...(to === 'tls' ? tls : []));
    const args = ['forward', `${from}://127.0.0.1:0`, addressOf(target)];
    if (from === 'tls') args.push(...tls);
    if (to === 'tls') args.push('--ca', cert);
    const forwarder = await program(t, args);
    const port = await portOf(forwarder);
    const peer = await hello(t, client, port, 're: hello\n');
    if (from === 'udp') return;
    peer.child.stdin.end();
    if (client !== 's_client') assert.equal((await peer.exit()).status, 0);
    // It goes on, and ends as the command does.
    (await hello(t, client, port, 're: hello\n')).child.kill();
    forwarder.child.kill('SIGINT');
    assert.equal((await forwarder.exit()).status, 0);
  });
}

test('the program of sockeye forward --emit carries each byte, and both ends', {
  skip: missing('openssl'),
}, async (t) => {
  const sink = startPython(
    t,
    `import hashlib, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c = context.wrap_socket(l.accept()[0], server_side=True)
h = hashlib.sha256(); n = 0
while data := c.recv(65536): h.update(data); n += len(data)
c.sendall(f'{n} {h.hexdigest()}'.encode()); c.unwrap()`,
    cert,
    key,
  );
  const to = await sink.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const args = ['forward', '127.0.0.1:0', `tls://127.0.0.1:${to}`, '--ca', cert];
  const port = await portOf(await program(t, args));
  const source = startPython(
    t,
    `import hashlib, os
data = os.urandom(5_000_000)
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
c.sendall(data); c.shutdown(socket.SHUT_WR)
said = b''
while more := c.recv(1000): said += more
print(said.decode() == f'5000000 {hashlib.sha256(data).hexdigest()}')`,
    port,
  );
  const { status, stdout } = await source.exit();
  assert.deepEqual([status, stdout], [0, 'True\n']);
});

for (const [ending, expected] of [
  ['c.unwrap()', 0],
  ['c.close()', 1],
] as const) {
  test(`the program of sockeye connect tls:// --emit ends with ${expected} after Python's ${ending}`, {
    skip: missing('openssl'),
  }, async (t) => {
    const server = startPython(
      t,
      `import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c = context.wrap_socket(l.accept()[0], server_side=True)
c.recv(100); c.sendall(b'half'); c.recv(100); ${ending}`,
      cert,
      key,
    );
    const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const client = await program(t, ['connect', `tls://localhost:${port}`, '--ca', cert]);
    client.child.stdin.end('hello\n');
    const { status, stdout, stderr } = await client.exit();
    assert.deepEqual([status, stdout], [expected, 'half'], stderr);
    assert.equal(stderr.includes('TlsTruncatedError'), expected === 1);
  });
}

test('the program of sockeye serve tls:// --ca --emit wants a certificate of its clients', {
  skip: missing('openssl'),
}, async (t) => {
  const server = await program(t, ['serve', 'tls://127.0.0.1:0', '--ca', cert, ...own(TLS)]);
  const address = `tls://localhost:${await portOf(server)}`;
  const without = await run(t, ['connect', address, '--ca', cert], 'hello\n');
  assert.deepEqual([without.status, without.stdout], [1, '']);
  const withOne = await run(t, ['connect', address, '--ca', cert, ...own(TLS)], 'hello\n');
  assert.deepEqual([withOne.status, withOne.stdout], [0, 'hello\n']);
});

for (const [args, from, client] of [
  [['listen', '127.0.0.1:PORT'], 'listen', 'nc'],
  [['listen', 'tls://127.0.0.1:PORT', ...TLS], 'listen', 's_client'],
  [['serve', 'tls://127.0.0.1:PORT', ...TLS], 'serve', 's_client'],
  [['forward', '127.0.0.1:PORT', 'TARGET'], 'forward', 'nc'],
  [['forward', 'tls://127.0.0.1:PORT', 'TARGET', ...TLS], 'forward', 'Python over TLS'],
  [['forward', '127.0.0.1:PORT', 'TLS-TARGET', '--ca', 'CERT'], 'forward', 'nc'],
] as const) {
  test(`the socat line of sockeye ${args.slice(0, 3).join(' ')} --emit talks with ${client}`, {
    skip: missing('socat') || absent(client),
  }, async (t) => {
    const plain = await serve(t, ['127.0.0.1:0']);
    const tls = await serve(t, ['tls://127.0.0.1:0'], ...own(TLS));
    const port = await freePort(t);
    const words = own(args).map((word) =>
      word
        .replace('PORT', `${port}`)
        .replace('TLS-TARGET', addressOf(tls).replace('127.0.0.1', 'localhost'))
        .replace('TARGET', addressOf(plain)),
    );
    const { stdout } = await run(t, [...words, '--emit']);
    const [, line] = /^\/\/ (socat .*)$/m.exec(stdout) ?? [];
    assert.ok(line, stdout);
    const server = new Running(t, 'sh', ['-c', `exec ${line.replace('socat', 'socat -d -d')}`]);
    await server.until(({ stderr }) => stderr.includes(' listening on '));
    if (from === 'listen') server.child.stdin.write('hello\n');
    const peer = await hello(t, client, port, 'hello\n');
    if (from === 'listen') await server.until(({ stdout: said }) => said.toString() === 'hello\n');
    peer.child.kill();
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressOf,
  certificate,
  missing,
  Running,
  run,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import type { TestContext } from 'node:test';

const skip = missing('openssl');

/** A server of TLS that is not ours, and its port. */
async function tlsServer(t: TestContext, program: 'openssl' | 'Python'): Promise<string> {
  const { cert, key } = certificate(temporaryDirectory(t));
  if (program === 'openssl') {
    const args = ['s_server', '-accept', '127.0.0.1:0', '-cert', cert, '-key', key];
    const server = new Running(t, 'openssl', args);
    return await server.until(
      ({ stdout }) => /^ACCEPT 127\.0\.0\.1:(\d+)\n/m.exec(stdout.toString())?.[1],
    );
  }
  const server = startPython(
    t,
    `import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
while True:
    try: context.wrap_socket(l.accept()[0], server_side=True)
    except OSError: pass`,
    cert,
    key,
  );
  return await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
}

// OpenSSL ends without a word where nothing looks like a handshake.
for (const program of ['openssl', 'Python'] as const) {
  test(`sockeye connect -v tcp:// says of the silence of ${program} that it may wait for TLS`, {
    skip,
  }, async (t) => {
    const port = await tlsServer(t, program);
    const { stdout, stderr } = await run(t, ['connect', '-v', `127.0.0.1:${port}`], 'hello\n');
    assert.equal(stdout, '');
    const hint = `sockeye: nothing came; a server that waits for TLS is as silent; try tls://127.0.0.1:${port}\n`;
    assert.ok(stderr.includes(hint), stderr);
  });
}

test('sockeye connect tcp:// says that what came is an alert of TLS', { skip }, async (t) => {
  const port = await tlsServer(t, 'openssl');
  const hello = Buffer.from('\u0016\u0003\u0001\u0000\u0005hello', 'latin1');
  const { stdout, stderr } = await run(t, ['connect', `127.0.0.1:${port}`], hello);
  const hint = `sockeye: what came is an alert of TLS; try tls://127.0.0.1:${port}\n`;
  assert.ok(stderr.startsWith(hint), stderr);
  // The bytes themselves are as they came.
  assert.deepEqual([stdout.charCodeAt(0), stdout.length], [21, 7]);
  const quiet = await run(t, ['connect', `127.0.0.1:${port}`, '-q'], hello);
  assert.ok(!quiet.stderr.includes('TLS'), quiet.stderr);
});

test('sockeye connect -v says where it is connected, and what silence may mean', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--discard');
  const address = addressOf(server);
  const connected = `sockeye: connected to ${address}\n`;
  const silence = `sockeye: nothing came; a server that waits for TLS is as silent; try ${address.replace('tcp', 'tls')}\n`;
  const ended = await run(t, ['connect', address, '-v'], 'hello\n');
  assert.deepEqual([ended.status, ended.stderr], [0, connected + silence]);
  const plain = await run(t, ['connect', address], 'hello\n');
  assert.deepEqual([plain.status, plain.stderr], [0, '']);
  const args = ['connect', address, '-v', '--no-shutdown', '--timeout', '200ms'];
  const late = await run(t, args, 'hello\n');
  assert.equal(late.status, 124);
  assert.equal(late.stderr, `${connected}${silence}sockeye: nothing came or went for 200ms\n`);
});

test('sockeye connect -v says nothing of TLS where an answer came', async (t) => {
  const server = await serve(t, ['127.0.0.1:0']);
  // A whole record of an alert within an echo is one; its length with other bytes is none.
  for (const text of ['hello\n', '\u0015\u0003\u0003\u0000\u0007', '\u0016']) {
    const { status, stdout, stderr } = await run(t, ['connect', addressOf(server), '-v'], text);
    assert.deepEqual([status, stdout], [0, text]);
    assert.equal(stderr, `sockeye: connected to ${addressOf(server)}\n`);
  }
});

test('sockeye connect exits 1 after a reset, whoever listens to its first bytes', async (t) => {
  const server = startPython(
    t,
    `import struct
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
while True:
    c, _ = l.accept(); c.recv(100)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  for (const flags of [[], ['--json'], ['-v']]) {
    const { status, stderr } = await run(t, ['connect', `127.0.0.1:${port}`, ...flags], 'hello\n');
    assert.equal(status, 1);
    assert.match(stderr, /: connection reset by peer \(ECONNRESET\)\n$/);
    assert.equal(stderr.includes('a server that waits for TLS'), flags.includes('-v'));
  }
});

test('sockeye connect tcp:// says once that nothing has come from a server that waits for TLS', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--discard');
  const address = addressOf(server);
  const hint = `sockeye: nothing has come yet; a server that waits for TLS is as silent; try ${address.replace('tcp', 'tls')}\n`;
  const args = ['connect', address, '--no-shutdown', '--timeout', '6s'];
  // What is sent without a look at it counts, too.
  const told = [[], ['--crlf'], ['-v']].map((flags) => run(t, [...args, ...flags], 'hello\n'));
  // Who sends nothing waits for what the server has to say.
  const untold = [run(t, [...args, '--quiet'], 'hello\n'), run(t, args)];
  for (const { status, stdout, stderr } of await Promise.all(told)) {
    assert.deepEqual([status, stdout], [124, '']);
    assert.equal(stderr.split(hint).length, 2, stderr);
    assert.equal(stderr.split('TLS').length, 2, stderr);
  }
  for (const { stderr } of await Promise.all(untold)) {
    assert.equal(stderr, 'sockeye: nothing came or went for 6s\n');
  }
});

test('sockeye connect tcp:// says nothing of TLS after an answer, however long it waits', async (t) => {
  const server = await serve(t, ['127.0.0.1:0']);
  const args = ['connect', addressOf(server), '--no-shutdown', '--timeout', '6s'];
  const { status, stdout, stderr } = await run(t, args, 'hello\n');
  assert.deepEqual([status, stdout], [124, 'hello\n']);
  assert.equal(stderr, 'sockeye: nothing came or went for 6s\n');
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  COMMAND,
  missing,
  Running,
  run,
  serve,
  start,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

/** A Python server for one client, `c`; it prints its port first. */
const ONE_CLIENT = `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); c.settimeout(20)
`;

async function oneClient(t: TestContext, program: string): Promise<[Running, string]> {
  const server = startPython(t, ONE_CLIENT + program);
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  return [server, `127.0.0.1:${port}`];
}

test('sockeye connect sends stdin, its end too, and prints what comes after it', async (t) => {
  const [, address] = await oneClient(
    t,
    `data = b''
while piece := c.recv(1000): data += piece
c.sendall(b'got ' + data); c.close()`,
  );
  const { status, stdout, stderr } = await run(t, ['connect', address], '你好');
  assert.deepEqual([status, stdout, stderr], [0, 'got 你好', '']);
});

test('sockeye connect --no-shutdown does not tell the peer that stdin has ended', async (t) => {
  const [, address] = await oneClient(
    t,
    `assert c.recv(10) == b'ask'
c.settimeout(0.3)
try: c.sendall(repr(c.recv(10)).encode())
except TimeoutError: c.sendall(b'no end')
c.close()`,
  );
  const { status, stdout } = await run(t, ['connect', address, '--no-shutdown'], 'ask');
  assert.deepEqual([status, stdout], [0, 'no end']);
});

test('sockeye connect goes on sending after the peer has ended its side', async (t) => {
  const [server, address] = await oneClient(
    t,
    `c.sendall(b'bye'); c.shutdown(socket.SHUT_WR)
data = b''
while piece := c.recv(1000): data += piece
print(data)`,
  );
  const client = start(t, 'connect', address);
  await client.until(({ stdout }) => stdout.toString() === 'bye');
  client.child.stdin.write('still ');
  client.child.stdin.end('here');
  assert.equal((await client.exit()).status, 0);
  assert.match((await server.exit()).stdout, /b'still here'/);
});

test('sockeye connect passes every byte both ways, to a slow reader', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0']);
  const data = randomBytes(20_000_000);
  const client = spawn(process.execPath, [COMMAND, 'connect', addresses[0] as string]);
  t.after(() => client.kill('SIGKILL'));
  client.stdin.end(data);
  const hash = createHash('sha256');
  for await (const chunk of client.stdout as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await nextTurn();
  }
  assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'));
});

test('sockeye connect does not read more than it can pass on', async (t) => {
  const [server, address] = await oneClient(
    t,
    `import select
c.setblocking(False); sent = 0
while sent < 200_000_000 and select.select([], [c], [], 1)[1]: sent += c.send(bytes(65536))
print('sent', sent); sys.stdin.read()`,
  );
  const client = spawn(process.execPath, [COMMAND, 'connect', address]);
  t.after(() => client.kill('SIGKILL'));
  // Nobody reads client.stdout, so its pipe fills, then the sockets between the two.
  const sent = await server.until(({ stdout }) => /sent (\d+)/.exec(stdout.toString())?.[1]);
  assert.ok(Number(sent) < 100_000_000, `the server could send ${sent} bytes`);
});

test('sockeye connect ends silently when the reader of its stdout has gone', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0'], '--random');
  const script =
    '{ "$0" "$1" connect "$2" < /dev/null; echo "status $?" >&2; } | head -c 3 | wc -c';
  const client = new Running(t, 'sh', [
    '-c',
    script,
    process.execPath,
    COMMAND,
    addresses[0] as string,
  ]);
  const { stdout, stderr } = await client.exit();
  assert.equal(stdout.trim(), '3');
  assert.equal(stderr, 'status 141\n');
});

test('sockeye connect prints what came before a reset, says so in one line and exits 1', async (t) => {
  const [, address] = await oneClient(
    t,
    `import struct
c.sendall(b'last words'); assert c.recv(2) == b'ok'
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
  );
  const client = start(t, 'connect', address);
  await client.until(({ stdout }) => stdout.toString() === 'last words');
  client.child.stdin.write('ok');
  const { status, stdout, stderr } = await client.exit();
  assert.deepEqual([status, stdout], [1, 'last words']);
  assert.match(stderr, /^sockeye: cannot receive from tcp:[^\n]*\(ECONNRESET\)\n$/);
});

test('sockeye connect exits 130 on SIGINT', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0'], '--greeting', 'hi');
  const client = start(t, 'connect', addresses[0] as string);
  await client.until(({ stdout }) => stdout.includes('hi'));
  client.child.kill('SIGINT');
  const { status, stderr } = await client.exit();
  assert.deepEqual([status, stderr], [130, '']);
});

test('sockeye connect can be interrupted while its stdout takes nothing', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0'], '--random');
  const client = start(t, 'connect', addresses[0] as string);
  client.child.stdout.pause();
  // Its pipe and its socket are full once the server's counter stands still; one full pipe does.
  await new Promise((resolve) => client.child.stdout.once('readable', resolve));
  client.child.kill('SIGINT');
  client.child.stdout.resume();
  const { status, signal } = await client.exit();
  assert.ok(status === 130 || signal === 'SIGINT', `${status} ${signal}`);
});

test('sockeye connect --quit ends with 0 when the word comes from stdin, and does not send it', async (t) => {
  const [server, address] = await oneClient(
    t,
    `data = b''
while piece := c.recv(1000): data += piece
print(data); c.sendall(b'bye'); c.close()`,
  );
  const client = start(t, 'connect', address, '--quit', 'exit');
  client.child.stdin.write('one\nexit\nnever\n');
  const { status, stdout } = await client.exit();
  assert.deepEqual([status, stdout], [0, 'bye']);
  assert.match((await server.exit()).stdout, /b'one\\n'\n/);
});

test('sockeye connect --timeout exits 124 when nothing comes or goes', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0']);
  const client = start(t, 'connect', addresses[0] as string, '--timeout', '200ms');
  const { status, stderr } = await client.exit();
  assert.equal(status, 124);
  assert.equal(stderr, 'sockeye: nothing came or went for 200ms\n');
});

test('sockeye connect --timeout exits 124 when the other side does not answer', async (t) => {
  // A listener whose backlog is full answers no SYN.
  const full = startPython(
    t,
    `l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(0)
others = [socket.socket() for _ in range(4)]
for s in others: s.setblocking(False); s.connect_ex(l.getsockname())
import select; select.select([], others, [], 10)
print(l.getsockname()[1]); sys.stdin.read()`,
  );
  const port = await full.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const { status, stderr } = await run(t, ['connect', `127.0.0.1:${port}`, '--timeout', '300ms']);
  assert.equal(status, 124);
  assert.match(stderr, /^sockeye: cannot connect to tcp:[^\n]*: no answer within 0\.3 s\n$/);
});

test('sockeye connect says what is wrong with a stdin that cannot be read', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0']);
  const client = new Running(t, 'sh', [
    '-c',
    '"$0" "$1" connect "$2" < /',
    process.execPath,
    COMMAND,
    addresses[0] as string,
  ]);
  const { status, stderr } = await client.exit();
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot read stdin: it is a directory\n$/);
});

test('sockeye connect talks to nc -l', { skip: missing('nc') }, async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  const nc = new Running(t, 'nc', ['-vlU', path]);
  await nc.until(({ stderr }) => /listening|bound/i.test(stderr));
  nc.child.stdin.end('从 nc\n');
  const { status, stdout } = await run(t, ['connect', `unix://${path}`], '到 nc\n');
  assert.deepEqual([status, stdout], [0, '从 nc\n']);
  assert.equal((await nc.exit()).stdout, '到 nc\n');
});

const UDP_SERVER = `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))
print(s.getsockname()[1])
`;

test('sockeye connect udp:// sends a datagram a read and ends soon after the last answer', async (t) => {
  const server = startPython(
    t,
    `${UDP_SERVER}while True:
    data, client = s.recvfrom(70000)
    s.sendto(str(len(data)).encode() + b' ', client)`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const started = performance.now();
  const { status, stdout, stderr } = await run(
    t,
    ['connect', `udp://127.0.0.1:${port}`],
    'x'.repeat(20_000),
  );
  assert.deepEqual([status, stdout, stderr], [0, '16384 3616 ', '']);
  assert.ok(performance.now() - started < 10_000);
});

test('sockeye connect udp:// ends within 10 s when nobody answers', async (t) => {
  const server = startPython(t, `${UDP_SERVER}sys.stdin.read()`);
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const started = performance.now();
  const { status } = await run(
    t,
    ['connect', `udp://127.0.0.1:${port}`, '--timeout', '300ms'],
    'x',
  );
  assert.equal(status, 0);
  assert.ok(performance.now() - started < 5000);
});

test('sockeye connect udp:// says that nobody is bound there, in one line, and exits 1', async (t) => {
  const { status, stderr } = await run(t, ['connect', 'udp://127.0.0.1:1'], 'x');
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^sockeye: cannot (send to|receive from) udp:[^\n]*\(ECONNREFUSED\)[^\n]*\n$/,
  );
});

for (const [frame, input, message] of [
  ['json', 'hello\n', /message 1 of the input can't be sent as json: .*JSON/],
  ['fixed:8', 'abc', /message 1 of the input can't be sent as fixed:8: length 3 is less/],
  ['delimiter:3b', 'a;b', /message 1 of the input can't be sent as delimiter:3b: /],
] as const) {
  test(`sockeye connect --frame ${frame} ends with 1 where the input is no message`, async (t) => {
    const { addresses } = await serve(t, ['127.0.0.1:0']);
    const client = start(t, 'connect', addresses[0] as string, '--frame', frame);
    client.child.stdin.end(input);
    const { status, stderr } = await client.exit();
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

for (const [frame, input, answer] of [
  ['json', '{"a":1}\n{bad\n', '{"a":1}\n'],
  ['fixed:3', 'abc\nd\n', 'abc\n'],
] as const) {
  test(`sockeye connect --frame ${frame} prints the answers to what came before a line that is no message`, async (t) => {
    const { addresses } = await serve(t, ['127.0.0.1:0']);
    const args = ['connect', addresses[0] as string, '--frame', frame];
    const { status, stdout, stderr } = await run(t, args, input);
    assert.deepEqual([status, stdout], [1, answer]);
    assert.match(stderr, /^sockeye: message 2 of the input can't be sent as [^\n]+\n$/);
  });
}

test('sockeye connect --probe udp:// fails where the port is refused, and says what UDP cannot tell', async (t) => {
  const silent = startPython(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))
print(s.getsockname()[1], u.getsockname()[1]); u.close(); s.recv(1); print('got'); s.recv(1)`,
  );
  const [open, refused] = await silent.until(({ stdout }) =>
    /^(\d+) (\d+)\n/.exec(stdout.toString())?.slice(1),
  );
  const no = await run(t, ['connect', '--probe', `udp://127.0.0.1:${refused}`]);
  assert.equal(no.status, 1);
  assert.match(no.stderr, /cannot reach udp:.*refused/);
  const unknown = await run(t, ['connect', '--probe', `udp://127.0.0.1:${open}`]);
  assert.equal(unknown.status, 0);
  assert.match(unknown.stderr, /UDP cannot tell/);
});

test('sockeye connect udp:// --timeout ends with 124 while stdin is open', async (t) => {
  const silent = startPython(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))
print(s.getsockname()[1]); s.recv(9); s.recv(9)`,
  );
  const port = await silent.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const client = start(t, 'connect', `udp://127.0.0.1:${port}`, '--timeout', '300ms');
  client.child.stdin.write('a');
  const { status, stderr } = await client.exit();
  assert.equal(status, 124);
  assert.match(stderr, /nothing came or went for 300ms/);
});

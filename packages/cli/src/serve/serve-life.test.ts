import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  COMMAND,
  python,
  Running,
  run,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

/** A client that connects, says `up`, and then reads on to the end; `down` at a clean end. */
const READER = `s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30)
s.sendall(b'x'); assert s.recv(1) == b'x'; print('up')
try:
    while s.recv(1000): pass
    print('down')
except ConnectionError as e: print(type(e).__name__)
`;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`sockeye serve ends with 0 on ${signal} without clients`, async (t) => {
    const server = await serve(t, ['127.0.0.1:0', 'udp://127.0.0.1:0']);
    server.child.kill(signal);
    const { status, stderr } = await server.exit();
    assert.equal(status, 0);
    assert.equal(stderr.trim().split('\n').length, 2, stderr);
  });
}

test('sockeye serve on SIGTERM lets a client finish and takes no new one', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--drain', '20s');
  const port = server.ports[0] as number;
  const client = startPython(
    t,
    `s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
s.sendall(b'before'); assert s.recv(6) == b'before'; print('up')
sys.stdin.readline()
s.sendall(b'after'); print(s.recv(5)); s.close()`,
    port,
  );
  await client.until(({ stdout }) => stdout.includes('up'));
  server.child.kill('SIGTERM');
  await server.until(({ stderr }) => stderr.includes('draining: 1 client has 20 s left'));
  const refused = await run(t, ['connect', `127.0.0.1:${port}`]);
  assert.equal(refused.status, 1);
  client.child.stdin.write('\n');
  assert.match((await client.exit()).stdout, /b'after'/);
  assert.equal((await server.exit()).status, 0);
});

test('sockeye serve closes clients that stay when --drain is over, and ends with 0', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--drain', '100ms');
  const client = startPython(t, READER, server.ports[0] as number);
  await client.until(({ stdout }) => stdout.includes('up'));
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
  assert.match((await client.exit()).stdout, /down|ConnectionResetError/);
});

test('sockeye serve ends at once on a second signal', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--drain', 'none');
  const client = startPython(t, READER, server.ports[0] as number);
  await client.until(({ stdout }) => stdout.includes('up'));
  server.child.kill('SIGTERM');
  await server.until(({ stderr }) => stderr.includes('draining'));
  server.child.kill('SIGINT');
  assert.equal((await server.exit()).status, 0);
});

test('sockeye serve on SIGTERM answers 500 requests that are on their way', async (t) => {
  const server = await serve(t, ['127.0.0.1:0']);
  const program = `
sockets = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30) for _ in range(500)]
for s in sockets: s.sendall(b'request')
print('sent')
def answer(s):
    data = b''
    while len(data) < 7:
        piece = s.recv(7 - len(data))
        if not piece: return data
        data += piece
    s.close()
    return data
print(sum(answer(s) == b'request' for s in sockets))`;
  const clients = startPython(t, program, server.ports[0] as number);
  await clients.until(({ stdout }) => stdout.includes('sent'));
  server.child.kill('SIGTERM');
  assert.equal((await clients.exit()).stdout, 'sent\n500\n');
  assert.equal((await server.exit()).status, 0);
});

test('sockeye serve closes a client that is silent from the start, and one that falls silent', async (t) => {
  const server = await serve(
    t,
    ['127.0.0.1:0'],
    '--first-byte-timeout',
    '200ms',
    '--idle-timeout',
    '400ms',
    '--verbose',
  );
  const told = await python(
    t,
    `
import time
def life(first):
    start = time.monotonic()
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
    if first: s.sendall(first); s.recv(10)
    assert s.recv(10) == b''
    return time.monotonic() - start
print(0.2 <= life(b'') < 8, 0.4 <= life(b'x') < 8)`,
    server.ports[0] as number,
  );
  assert.equal(told, 'True True\n');
  await server.until(({ stderr }) => /its first byte did not come in time/.test(stderr));
  await server.until(({ stderr }) => /it was idle/.test(stderr));
});

test('sockeye serve --max-connections holds for all addresses together', async (t) => {
  const addresses = ['127.0.0.1:0', '127.0.0.1:0'];
  const { ports } = await serve(t, addresses, '--max-connections', '1', '--greeting', 'hi');
  const told = await python(
    t,
    `
def connect(port): return socket.create_connection(('127.0.0.1', int(port)), 20)
a = connect(sys.argv[1]); print(a.recv(3))
# The accept that waits already takes one more: each further server may be one above.
b = connect(sys.argv[2]); print(b.recv(3))
c = connect(sys.argv[2]); c.settimeout(0.2)
try: print(c.recv(3))
except TimeoutError: print('waits')
a.close(); b.close(); c.settimeout(20)
print(c.recv(3))`,
    ports[0] as number,
    ports[1] as number,
  );
  assert.equal(told, "b'hi\\n'\nb'hi\\n'\nwaits\nb'hi\\n'\n");
});

test('sockeye serve --max-connections lets a client wait until another has gone', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--max-connections', '2', '--greeting', 'hi');
  const told = await python(
    t,
    `
def connect(): return socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
a, b, c = connect(), connect(), connect()
print(a.recv(3), b.recv(3))
c.settimeout(0.2)
try: print(c.recv(3))
except TimeoutError: print('waits')
a.close(); c.settimeout(10)
print(c.recv(3))`,
    ports[0] as number,
  );
  assert.equal(told, "b'hi\\n' b'hi\\n'\nwaits\nb'hi\\n'\n");
});

test('sockeye serve with few descriptors warns once, stays idle, and serves again when some are free', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--max-connections', '1000');
  const clients = startPython(
    t,
    `
import resource
resource.prlimit(int(sys.argv[2]), resource.RLIMIT_NOFILE, (64, 64))
sockets = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) for _ in range(100)]
for i, s in enumerate(sockets): s.sendall(b'%3d' % i)
sys.stdin.readline(); answered = 0
for s in sockets:
    assert s.recv(3) == b'%3d' % answered
    s.close(); answered += 1
print(answered)`,
    server.ports[0] as number,
    server.child.pid as number,
  );
  await server.until(({ stderr }) => /cannot accept: .*EMFILE/.test(stderr));
  clients.child.stdin.write('\n');
  assert.equal((await clients.exit()).stdout, '100\n');
  assert.equal(server.stderr.match(/cannot accept: .*EMFILE/g)?.length, 1, server.stderr);
});

test('sockeye serve leaves no descriptor open after 1,000 connections', async (t) => {
  const { child, ports } = await serve(t, ['127.0.0.1:0']);
  const told = await python(
    t,
    `
import os
def cycle(i):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) as s:
        s.sendall(b'%5d' % i); assert s.recv(5) == b'%5d' % i
        s.shutdown(socket.SHUT_WR); assert s.recv(5) == b''
def descriptors(): return len(os.listdir(f'/proc/{sys.argv[2]}/fd'))
cycle(0); before = descriptors()
for i in range(1000): cycle(i)
print(descriptors() - before)`,
    ports[0] as number,
    child.pid as number,
  );
  // The last one may still be on its way out.
  assert.ok(Number(told) <= 1, told);
});

test('sockeye serve closes a client that reads nothing for the write timeout, not one that reads slowly', async (t) => {
  const server = await serve(
    t,
    ['127.0.0.1:0'],
    '--random',
    '--verbose',
    '--write-timeout',
    '500ms',
  );
  const program = `
import time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(('127.0.0.1', int(sys.argv[1]))); s.settimeout(10)
print('up')
if sys.argv[2] == 'reads':
    end = time.monotonic() + 1.5
    while time.monotonic() < end: assert s.recv(20_000); time.sleep(0.02)
    print('alive')
else: sys.stdin.read()`;
  const port = server.ports[0] as number;
  assert.equal(await python(t, program, port, 'reads'), 'up\nalive\n');
  startPython(t, program, port, 'sleeps');
  await server.until(({ stderr }) => /it took nothing for 500ms/.test(stderr));
});

test('sockeye serve --port-file has the ports, whole, once it listens', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'ports');
  const { ports } = await serve(
    t,
    ['127.0.0.1:0', 'udp://127.0.0.1:0', `unix://${directory}/s`],
    '--port-file',
    file,
  );
  assert.equal(readFileSync(file, 'utf8'), `${ports.join('\n')}\nunix://${directory}/s\n`);
  const failed = await run(t, ['serve', '127.0.0.1:0', '--port-file', '/nonexistent/ports']);
  assert.equal(failed.status, 1);
  assert.match(
    failed.stderr,
    /^sockeye: cannot write --port-file .*: no such file or directory \(ENOENT\)\n$/,
  );
});

test('sockeye serve --json prints an object an event on stdout', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--json');
  await run(t, ['connect', server.addresses[0] as string], 'four');
  await server.until(({ stdout }) => stdout.includes('disconnected'));
  server.child.kill('SIGTERM');
  const { stdout } = await server.exit();
  const events = stdout
    .trim()
    .split('\n')
    .map((line): { [name: string]: unknown } => JSON.parse(line));
  assert.deepEqual(
    events.map((event) => event['type']),
    ['listening', 'connected', 'disconnected'],
  );
  assert.equal(events[0]?.['address'], server.addresses[0]);
  assert.match(String(events[1]?.['peer']), /^tcp:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(events[2]?.['received'], 4);
  assert.equal(events[2]?.['sent'], 4);
});

test('sockeye serve --json ends when the reader of its events has gone', async (t) => {
  const file = join(temporaryDirectory(t), 'port');
  const line = `"$0" "$1" serve 127.0.0.1:0 --json --quiet --port-file "$2" | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const server = new Running(t, 'bash', ['-c', line, process.execPath, COMMAND, file]);
  await server.until(({ stdout }) => stdout.includes('listening'));
  // The first event after head's end meets a pipe without a reader.
  const told = await python(
    t,
    `while True:
    try: s = socket.create_connection(('127.0.0.1', int(open(sys.argv[1]).read())), 20)
    except ConnectionError: break
    s.close()
print('ended')`,
    file,
  );
  assert.equal(told, 'ended\n');
  const { stdout, stderr } = await server.exit();
  assert.match(stdout, /^\{"type":"listening"[^\n]*\n141\n$/);
  assert.equal(stderr, '');
});

test('sockeye serve --quiet prints nothing', async (t) => {
  const file = join(temporaryDirectory(t), 'port');
  const server = new Running(t, process.execPath, [
    COMMAND,
    'serve',
    '127.0.0.1:0',
    '--quiet',
    '--port-file',
    file,
  ]);
  const port = await python(
    t,
    `
import os, time
while not os.path.exists(sys.argv[1]): time.sleep(0.01)
port = open(sys.argv[1]).read().strip()
s = socket.create_connection(('127.0.0.1', int(port)), 10); s.sendall(b'x'); s.recv(1)
print(port, end='')`,
    file,
  );
  assert.match(port, /^\d+$/);
  server.child.kill('SIGTERM');
  const { status, stdout, stderr } = await server.exit();
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test('sockeye serve on a terminal says how to talk to it; Ctrl-C drains, a second one ends at once', async (t) => {
  const told = await python(
    t,
    `import os, pty, re
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[1], [sys.argv[1], sys.argv[2], 'serve', ':0', '--drain', 'none'])
seen = b''
def until(text):
    global seen
    while text not in seen: seen += os.read(terminal, 1000)
until(b'ends the server\\r\\n')
port = re.search(rb'sockeye connect tcp://:(\\d+)\\r\\n', seen).group(1)
s = socket.create_connection(('127.0.0.1', int(port)), 20); s.sendall(b'x'); s.recv(1)
os.write(terminal, b'\\x03'); until(b'draining: 1 client has no deadline')
os.write(terminal, b'\\x03')
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), s.recv(1))`,
    process.execPath,
    COMMAND,
  );
  assert.equal(told, "0 b''\n");
});

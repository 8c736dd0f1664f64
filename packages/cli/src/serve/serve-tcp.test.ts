import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, python, Running, run, serve, startPython } from '../command.test.util.ts';

const CONNECT = `s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
def exactly(n):
    data = b''
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece: raise EOFError(data)
        data += piece
    return data
`;

test('sockeye serve greets, replies with a prefix and ends on the quit word, to Python', async (t) => {
  const { ports } = await serve(
    t,
    ['127.0.0.1:0'],
    '--greeting',
    '欢迎',
    '--reply',
    '收到: ',
    '--quit',
    'quit',
  );
  const told = await python(
    t,
    `${CONNECT}
print(exactly(len('欢迎\\n'.encode())).decode(), end='')
s.sendall('你好'.encode())
print(exactly(len('收到: 你好'.encode())).decode())
s.sendall(b'last\\nquit\\nnever')
print(exactly(len('收到: last\\n'.encode())).decode(), end='')
print(s.recv(100))
`,
    ports[0] as number,
  );
  assert.equal(told, "欢迎\n收到: 你好\n收到: last\nb''\n");
});

test('sockeye serve --reply never puts its prefix inside a character that came in two segments', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--reply', '> ');
  const told = await python(
    t,
    `${CONNECT}
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
text = '中文'.encode()
s.sendall(text[:4])
print(exactly(5).decode())
s.sendall(text[4:])
print(exactly(5).decode())
s.sendall(text[:2])
s.shutdown(socket.SHUT_WR)
print(exactly(4), s.recv(10))
`,
    ports[0] as number,
  );
  assert.equal(told, "> 中\n> 文\nb'> \\xe4\\xb8' b''\n");
});

test('sockeye serve gives 200 clients at once each their own echo', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0']);
  const told = await python(
    t,
    `
sockets = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) for _ in range(200)]
for i, s in enumerate(sockets): s.sendall(f'client {i}\\n'.encode())
for i, s in reversed(list(enumerate(sockets))):
    expected = f'client {i}\\n'.encode()
    got = b''
    while len(got) < len(expected): got += s.recv(100)
    assert got == expected, (got, expected)
print('each')
`,
    ports[0] as number,
  );
  assert.equal(told, 'each\n');
});

test('sockeye serve goes on when a client dies in the middle of a message', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--reply', 'got ');
  const port = server.ports[0] as number;
  const killed = startPython(
    t,
    `${CONNECT}
s.sendall(b'x' * 3_000_000 + '半'.encode()[:2])
print('sent')
sys.stdin.read()
`,
    port,
  );
  // It never reads, so that it is killed with its sends and the server's replies under way.
  const good = `${CONNECT}
s.sendall(b'alive'); print(exactly(9).decode())`;
  assert.equal(await python(t, good, port), 'got alive\n');
  killed.child.kill('SIGKILL');
  await killed.exit();
  assert.equal(await python(t, good, port), 'got alive\n');
  const reset = `${CONNECT}
import struct
s.sendall(b'half')
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
s.close()`;
  await python(t, reset, port);
  assert.equal(await python(t, good, port), 'got alive\n');
  server.child.kill('SIGTERM');
  const { status, stderr } = await server.exit();
  assert.equal(status, 0);
  assert.equal(stderr.split('\n').filter((line) => !/^(listening|$)/.test(line)).length, 0, stderr);
});

test('sockeye serve --hello sends its line and closes, even to a client that has sent much', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--hello', 'hi');
  const told = await python(
    t,
    `${CONNECT}
s.sendall(b'x' * 500_000)
print(exactly(3), s.recv(10))`,
    ports[0] as number,
  );
  assert.equal(told, "b'hi\\n' b''\n");
});

test('sockeye serve --discard takes everything and sends nothing', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--discard');
  const program = `${CONNECT}
s.sendall(b'x' * 5_000_000)
s.shutdown(socket.SHUT_WR)
print(s.recv(10))`;
  assert.equal(await python(t, program, ports[0] as number), "b''\n");
});

test('sockeye serve --random sends bytes that differ', async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--random');
  const program = `${CONNECT}
data = exactly(200_000)
print(len(set(data[i:i + 8] for i in range(0, len(data), 8))) > 24_990)`;
  assert.equal(await python(t, program, ports[0] as number), 'True\n');
});

test('sockeye serve --chat sends each line to all others and puts out who never reads', async (t) => {
  const server = await serve(t, ['127.0.0.1:0'], '--chat', '--quit', '/quit', '--verbose');
  const told = await python(
    t,
    `
def join():
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
    return s, Lines(s.makefile('rb'))
class Lines:
    def __init__(self, f): self.f = f
    def readline(self):
        line = self.f.readline()
        return self.readline() if line.startswith(b'* ') else line.partition(b': ')[2]
(a, fa), (b, fb), (c, fc) = join(), join(), join()
def until(f, line):
    while f.readline() != line: pass
# Who is in the room is certain once a line of his has arrived.
b.sendall(b'b here\\n'); until(fa, b'b here\\n')
c.sendall(b'c here\\n'); until(fa, b'c here\\n')
a.sendall(b'go\\n'); until(fb, b'go\\n'); until(fc, b'go\\n')
a.sendall('你'.encode()[:1]); a.sendall('你\\nsecond\\n'.encode()[1:])
print(fb.readline().decode(), fc.readline().decode(), fb.readline().decode(), end='')
c.sendall(b'/quit\\n')
line = b'y' * 60_000 + b'\\n'
sleeper = socket.socket(); sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
sleeper.connect(('127.0.0.1', int(sys.argv[1]))); sleeper.sendall(b'zzz\\n')
print(fa.readline(), fb.readline())
for _ in range(200): a.sendall(line); assert fb.readline() == line
print('done')
`,
    server.ports[0] as number,
  );
  assert.equal(told, "你\n 你\n second\nb'zzz\\n' b'zzz\\n'\ndone\n");
  await server.until(({ stderr }) => stderr.includes('it did not read what the others said'));
});

test('sockeye serve :0 takes IPv4 and IPv6 clients', async (t) => {
  const { addresses, ports } = await serve(t, [':0']);
  assert.match(addresses[0] as string, /^tcp:\/\/(\[::\]|0\.0\.0\.0):\d+$/);
  const program = `${CONNECT}
s.sendall(b'four'); print(exactly(4))`;
  assert.equal(await python(t, program, ports[0] as number), "b'four'\n");
  const six = program.replace("'127.0.0.1'", "'::1'");
  if (addresses[0]?.includes('[::]')) {
    assert.equal(await python(t, six, ports[0] as number), "b'four'\n");
  } else t.diagnostic('no IPv6 on this machine: tried IPv4 only');
});

test('sockeye serve talks to nc', { skip: missing('nc') }, async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0'], '--greeting', 'hi', '--quit', 'quit');
  const nc = new Running(t, 'nc', ['127.0.0.1', String(ports[0])]);
  await nc.until(({ stdout }) => stdout.includes('hi\n'));
  nc.child.stdin.write('你好\n');
  await nc.until(({ stdout }) => stdout.includes('你好\n'));
  nc.child.stdin.end('quit\n');
  const { status, stdout } = await nc.exit();
  assert.equal(status, 0);
  assert.equal(stdout, 'hi\n你好\n');
});

test('sockeye serve returns every byte to socat', { skip: missing('socat') }, async (t) => {
  const { ports } = await serve(t, ['127.0.0.1:0']);
  const bytes = Buffer.alloc(
    3_000_000,
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
  const socat = new Running(t, 'socat', ['-t', '20', '-', `TCP:127.0.0.1:${ports[0]}`]);
  socat.child.stdin.end(bytes);
  await socat.exit();
  assert.ok(socat.stdout.equals(bytes), `${socat.stdout.length} bytes came back`);
});

test('sockeye serve and sockeye connect understand each other', async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0'], '--greeting', 'hi');
  const { status, stdout, stderr } = await run(t, ['connect', addresses[0] as string], '你好\n');
  assert.deepEqual([status, stdout, stderr], [0, 'hi\n你好\n', '']);
});

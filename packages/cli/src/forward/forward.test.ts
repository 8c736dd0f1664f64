import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  certificate,
  missing,
  python,
  Running,
  run,
  type Served,
  serve,
  startListening,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';

function forward(
  t: TestContext,
  listen: string,
  target: string,
  ...args: string[]
): Promise<Served> {
  return startListening(t, ['forward', listen, target, ...args]);
}

const FAMILIES = ['tcp', 'tcp6', 'tls', 'unix', 'unix@', 'unix-seqpacket'] as const;

function place(family: (typeof FAMILIES)[number], directory: string, name: string): string {
  if (family === 'tcp') return ANYWHERE;
  if (family === 'tcp6') return '[::1]:0';
  if (family === 'tls') return 'tls://127.0.0.1:0';
  if (family === 'unix@') return `unix:@sockeye-test-${process.pid}-${name}`;
  return `${family}://${join(directory, name)}`;
}

for (const from of FAMILIES) {
  for (const to of FAMILIES) {
    test(`sockeye forward ${from} ${to} returns every byte of several clients`, async (t) => {
      const directory = temporaryDirectory(t);
      const encrypted = [from, to].includes('tls');
      const { cert, key } = encrypted ? certificate(directory) : { cert: '', key: '' };
      const tls = ['--cert', cert, '--key', key];
      const target = await serve(t, [place(to, directory, 'target')], ...(to === 'tls' ? tls : []));
      const more = from === 'tls' ? tls : [];
      const trust = to === 'tls' ? ['--ca', cert] : [];
      const way = await forward(
        t,
        place(from, directory, 'way'),
        addressOf(target),
        ...more,
        ...trust,
      );
      const clientTls = from === 'tls' ? ['--ca', cert] : [];
      // A message has its limit; a stream has none.
      const size = [from, to].includes('unix-seqpacket') ? 16_000 : 1_000_000;
      const inputs = [1, 2].map(() => randomBytes(size).toString('latin1'));
      const outcomes = await Promise.all(
        inputs.map((input) => run(t, ['connect', addressOf(way), ...clientTls], input)),
      );
      assert.deepEqual(
        outcomes.map(({ status, stderr }) => [status, stderr]),
        inputs.map(() => [0, '']),
      );
      assert.ok(outcomes.every(({ stdout }, i) => stdout === inputs[i]));
    });
  }
}

test('sockeye forward passes half-closes on in both directions and loses no tail', async (t) => {
  const target = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); data = b''
c.sendall(b'early '); c.shutdown(socket.SHUT_WR)
while piece := c.recv(65536): data += piece
import hashlib; print(hashlib.sha256(data).hexdigest())`,
  );
  const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const way = await forward(t, ANYWHERE, `127.0.0.1:${port}`);
  const data = randomBytes(5_000_000);
  const client = startPython(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
print(c.recv(100), c.recv(100))
while piece := sys.stdin.buffer.read(100_000): c.sendall(piece)
c.close()`,
    way.ports[0] as number,
  );
  await client.until(({ stdout }) => stdout.toString() === "b'early ' b''\n");
  client.child.stdin.end(data);
  const { stdout } = await target.exit();
  assert.ok(stdout.includes(createHash('sha256').update(data).digest('hex')));
});

test('sockeye forward does not read more than the target takes', async (t) => {
  const target = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); sys.stdin.read()`,
  );
  const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const way = await forward(t, ANYWHERE, `127.0.0.1:${port}`);
  const told = await python(
    t,
    `import select
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
c.setblocking(False); sent = 0
while sent < 200_000_000 and select.select([], [c], [], 1)[1]: sent += c.send(bytes(65536))
print(sent)`,
    way.ports[0] as number,
  );
  assert.ok(Number(told) < 100_000_000, `${told} bytes were taken`);
});

test('sockeye forward passes a reset on as a reset, behind what came before it', async (t) => {
  const target = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); data = b''
try:
    while piece := c.recv(65536): data += piece
    print(len(data), 'end')
except ConnectionResetError: print(len(data), 'reset')`,
  );
  const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const way = await forward(t, ANYWHERE, `127.0.0.1:${port}`);
  await python(
    t,
    `import struct, fcntl, termios, array
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); c.sendall(bytes(100_000))
left = array.array('i', [1])
while left[0]: fcntl.ioctl(c, termios.TIOCOUTQ, left)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
    way.ports[0] as number,
  );
  assert.match((await target.exit()).stdout, /reset\n$/);
});

test('sockeye forward says in one line that the target refuses, resets clients and goes on', async (t) => {
  const way = await forward(t, ANYWHERE, '127.0.0.1:1');
  const told = await python(
    t,
    `for _ in range(5):
    try: print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20).recv(10))
    except ConnectionResetError: print('reset')`,
    way.ports[0] as number,
  );
  assert.equal(told, 'reset\n'.repeat(5));
  way.child.kill('SIGTERM');
  const { status, stderr } = await way.exit();
  assert.equal(status, 0);
  const refused = stderr.match(
    /^sockeye: cannot connect to tcp:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/gm,
  );
  assert.equal(refused?.length, 1, stderr);
});

for (const family of ['tcp', 'tls'] as const) {
  test(`sockeye forward passes the target's reset on to a ${family} client, behind what came before it`, async (t) => {
    const directory = temporaryDirectory(t);
    const { cert, key } = family === 'tls' ? certificate(directory) : { cert: '', key: '' };
    const target = startPython(
      t,
      `import struct
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); c.sendall(b'half an answer'); c.recv(1)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
    );
    const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const tls = family === 'tls' ? ['--cert', cert, '--key', key] : [];
    const way = await forward(t, place(family, directory, 'way'), `127.0.0.1:${port}`, ...tls);
    const told = await python(
      t,
      `import ssl
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
if '${family}' == 'tls':
    c = ssl.create_default_context(cafile='${cert}').wrap_socket(c, server_hostname='localhost', suppress_ragged_eofs=False)
print(c.recv(100)); c.sendall(b'x')
try: print(c.recv(100))
except (ConnectionResetError, ssl.SSLError) as e: print('cut')`,
      way.ports[0] as number,
    );
    assert.equal(told, "b'half an answer'\ncut\n");
  });
}

test('sockeye forward --timeout gives up a target that does not answer, and says so', async (t) => {
  // A Unix listener whose backlog is full lets nobody in, and refuses nobody: unix(7).
  const path = join(temporaryDirectory(t), 'full');
  const target = startPython(
    t,
    `l = socket.socket(socket.AF_UNIX); l.bind('${path}'); l.listen(0)
c = socket.socket(socket.AF_UNIX); c.connect('${path}'); print('full'); sys.stdin.read()`,
  );
  await target.until(({ stdout }) => stdout.includes('full'));
  const way = await forward(t, ANYWHERE, `unix://${path}`, '--timeout', '200ms');
  const client = await run(t, ['connect', addressOf(way)], 'x');
  assert.equal(client.status, 1);
  await way.until(({ stderr }) => /cannot connect to unix:.*no answer within 0\.2 s/.test(stderr));
});

test('sockeye forward --record writes what clients said and got, as tshark reads it', {
  skip: missing('tshark'),
}, async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'way.pcapng');
  const target = await serve(t, [ANYWHERE], '--reply', 'you said ');
  const way = await forward(t, ANYWHERE, addressOf(target), '--record', file);
  assert.equal((await run(t, ['connect', addressOf(way)], 'hello')).stdout, 'you said hello');
  way.child.kill('SIGTERM');
  assert.equal((await way.exit()).status, 0);
  const tshark = new Running(t, 'tshark', ['-r', file, '-q', '-z', 'follow,tcp,ascii,0']);
  const { stdout } = await tshark.exit();
  assert.match(stdout, /\n5\nhello\n\t14\nyou said hello\n/);
});

test('sockeye forward --json counts connections and bytes in both directions', async (t) => {
  const target = await serve(t, [ANYWHERE], '--reply', 'x');
  const way = await forward(t, ANYWHERE, addressOf(target), '--json');
  await run(t, ['connect', addressOf(way)], '12345');
  await way.until(({ stdout }) => stdout.includes('disconnected'));
  way.child.kill('SIGTERM');
  const { status, stdout } = await way.exit();
  assert.equal(status, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const gone = events.find(({ type }) => type === 'disconnected');
  assert.deepEqual([gone?.['received'], gone?.['sent']], [5, 6]);
  assert.deepEqual(events.at(-1), {
    type: 'forwarded',
    connections: 1,
    toTarget: 5,
    toClients: 6,
  });
});

for (const scheme of ['', 'udp://']) {
  test(`sockeye forward ${scheme} --hex shows what each client says and gets`, async (t) => {
    const target = await serve(t, [`${scheme}${ANYWHERE}`], '--reply', '>');
    const way = await forward(t, `${scheme}${ANYWHERE}`, addressOf(target), '--hex');
    const { stdout } = await run(t, ['connect', addressOf(way)], 'hi');
    assert.equal(stdout, '>hi');
    const name = String.raw`${scheme || 'tcp://'}127\.0\.0\.1:\d+`;
    const said = `${name} < 00000000  68 69 {45}\\|hi\\|\n`;
    const got = `${name} > 00000000  3e 68 69 {42}\\|>hi\\|\n`;
    await way.until(({ stderr }) => new RegExp(`${said}${got}`).test(stderr));
  });
}

for (const version of ['1', '2'] as const) {
  test(`sockeye forward --proxy-protocol ${version} tells the target the client, through a second forward`, async (t) => {
    const target = startPython(
      t,
      `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); data = b''
while piece := c.recv(1000): data += piece
print(data.hex())`,
    );
    const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const last = await forward(
      t,
      ANYWHERE,
      `127.0.0.1:${port}`,
      '--proxy-protocol',
      '1',
      '--accept-proxy-protocol',
      '127.0.0.0/8',
    );
    const first = await forward(t, ANYWHERE, addressOf(last), '--proxy-protocol', version);
    const client = startPython(
      t,
      `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20, ('127.0.0.9', 0))
print(c.getsockname()[1]); c.sendall(b'hello'); c.shutdown(socket.SHUT_WR); c.recv(1)`,
      first.ports[0] as number,
    );
    const own = (await client.until(({ stdout }) => /(\d+)\n/.exec(stdout.toString())))[1];
    const [, hex = ''] = (await target.exit()).stdout.split('\n');
    const [line, rest] = Buffer.from(hex, 'hex').toString().split('\r\n');
    assert.match(
      line as string,
      new RegExp(`^PROXY TCP4 127\\.0\\.0\\.9 127\\.0\\.0\\.1 ${own} \\d+$`),
    );
    assert.equal(rest, 'hello');
  });
}

/** A way to an echo whose clients here are proxies. */
async function behindProxy(t: TestContext): Promise<Served> {
  const target = await serve(t, [ANYWHERE]);
  const flags = ['--accept-proxy-protocol', '127.0.0.1', '--verbose'];
  return await forward(t, ANYWHERE, addressOf(target), ...flags);
}

test('sockeye forward --accept-proxy-protocol closes a trusted client whose header is none', async (t) => {
  const way = await behindProxy(t);
  await run(t, ['connect', addressOf(way)], 'GET / HTTP/1.1\r\n\r\n');
  await way.until(({ stderr }) => /refused .*Cannot read PROXY protocol header/.test(stderr));
});

test('sockeye forward udp:// gives each client a way of its own, and forgets who is idle', async (t) => {
  const target = await serve(t, [`udp://${ANYWHERE}`], '--reply', 'you said ');
  const way = await forward(
    t,
    `udp://${ANYWHERE}`,
    addressOf(target),
    '--idle-timeout',
    '500ms',
    '--verbose',
  );
  const told = await python(
    t,
    `a = ('127.0.0.1', int(sys.argv[1]))
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
for n, c in enumerate(clients): c.settimeout(20); c.sendto(b'%d' % n, a)
for n, c in reversed(list(enumerate(clients))): assert c.recv(100) == b'you said %d' % n
print('done')`,
    way.ports[0] as number,
  );
  assert.equal(told, 'done\n');
  await way.until(({ stderr }) => stderr.match(/it was idle/g)?.length === 50);
});

test('sockeye forward joins udp:// and unix-dgram://', async (t) => {
  const path = join(temporaryDirectory(t), 'target');
  const target = await serve(t, [`unix-dgram://${path}`], '--reply', 're: ');
  const way = await forward(t, `udp://${ANYWHERE}`, addressOf(target));
  const { status, stdout } = await run(t, ['connect', addressOf(way)], 'datagram');
  assert.deepEqual([status, stdout], [0, 're: datagram']);
});

test('sockeye forward lets socat and nc through', {
  skip: missing('socat') || missing('nc'),
}, async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const target = new Running(t, 'socat', [`UNIX-LISTEN:${path}`, 'SYSTEM:rev']);
  const probe = new Running(t, 'sh', ['-c', `until [ -S ${path} ]; do :; done`]);
  await probe.exit();
  const way = await forward(t, ANYWHERE, `unix://${path}`);
  const nc = new Running(t, 'nc', ['-N', '127.0.0.1', String(way.ports[0])]);
  nc.child.stdin.end('abc\n');
  assert.equal((await nc.exit()).stdout, 'cba\n');
  await target.exit();
});

/**
 * A target of one connection that prints its port, what came, and then how the connection ended. TLS
 * is apart from its socket: Python's SSLSocket takes a reset for an end.
 */
function endingTarget(t: TestContext, tls?: { cert: string; key: string }): Running {
  return startPython(
    t,
    `import ssl
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); read = c.recv
if len(sys.argv) > 1:
    x = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); x.load_cert_chain(*sys.argv[1:])
    came, left = ssl.MemoryBIO(), ssl.MemoryBIO(); o = x.wrap_bio(came, left, server_side=True)
    def read(size):
        while True:
            try: return o.read(size)
            except ssl.SSLZeroReturnError: return b''
            except ssl.SSLWantReadError:
                c.sendall(left.read()); piece = c.recv(65536)
                if piece == b'': raise EOFError
                came.write(piece)
data = b''
try:
    while piece := read(65536): data += piece
    print(data.decode(), 'end')
except ConnectionResetError: print(data.decode(), 'reset')
except EOFError: print(data.decode(), 'cut')`,
    ...(tls === undefined ? [] : [tls.cert, tls.key]),
  );
}

test('sockeye forward passes a reset on to a TLS target', {
  skip: missing('openssl'),
}, async (t) => {
  const { cert, key } = certificate(temporaryDirectory(t));
  const target = endingTarget(t, { cert, key });
  const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const way = await forward(t, ANYWHERE, `tls://127.0.0.1:${port}`, '--ca', cert, '--json');
  const client = startPython(
    t,
    `import struct
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); c.sendall(b'half'); print('sent')
sys.stdin.readline()
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
    way.ports[0] as number,
  );
  await client.until(({ stdout }) => stdout.includes('sent'));
  await way.until(({ stdout }) => stdout.includes('"connected"'));
  client.child.stdin.end('now\n');
  assert.match((await target.exit()).stdout, /half reset\n$/);
});

for (const [flags, end] of [
  [[], 'reset'],
  [['--ignore-unexpected-eof'], 'end'],
] as const) {
  test(`sockeye forward ${flags.join('')} makes ${end} of a client's end without close_notify`, {
    skip: missing('openssl'),
  }, async (t) => {
    const { cert, key } = certificate(temporaryDirectory(t));
    const target = endingTarget(t);
    const port = await target.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const way = await forward(
      t,
      'tls://127.0.0.1:0',
      `127.0.0.1:${port}`,
      '--cert',
      cert,
      '--key',
      key,
      ...flags,
    );
    await python(
      t,
      `import ssl
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
s = ssl.create_default_context(cafile='${cert}').wrap_socket(c, server_hostname='localhost')
s.sendall(b'all of it'); s.shutdown(socket.SHUT_WR); s.close()`,
      way.ports[0] as number,
    );
    assert.equal((await target.exit()).stdout.split('\n')[1], `all of it ${end}`);
  });
}

test('sockeye forward --accept-proxy-protocol does not wait for a header longer than 10 s', async (t) => {
  const way = await behindProxy(t);
  const told = await python(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); c.sendall(b'PROXY ')
try: print(c.recv(10))
except ConnectionResetError: print('reset')`,
    way.ports[0] as number,
  );
  assert.match(told, /^(b''|reset)\n$/);
  await way.until(({ stderr }) => /refused .*its PROXY header did not come in time/.test(stderr));
});

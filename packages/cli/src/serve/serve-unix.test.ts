import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  python,
  run,
  serve,
  start,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

test('sockeye serve listens on TCP, UDP and all kinds of Unix sockets at once', async (t) => {
  const directory = temporaryDirectory(t);
  const stream = join(directory, 'stream');
  const datagram = join(directory, 'datagram');
  const abstract = `sockeye-test-${process.pid}`;
  const { addresses, ports } = await serve(
    t,
    [
      '127.0.0.1:0',
      'udp://127.0.0.1:0',
      `unix://${stream}`,
      `unix-dgram://${datagram}`,
      `unix-seqpacket:@${abstract}`,
    ],
    '--reply',
    'got ',
  );
  assert.deepEqual(addresses.slice(2), [
    `unix://${stream}`,
    `unix-dgram://${datagram}`,
    `unix-seqpacket:@${abstract}`,
  ]);
  const told = await python(
    t,
    `
tcp, udp, stream, datagram, abstract = sys.argv[1:]
def ask(family, type, address, bind=False):
    s = socket.socket(family, type); s.settimeout(10)
    if bind: s.bind('')
    s.connect(address); s.send('你'.encode()[:2]); s.send(b'two')
    if type == socket.SOCK_STREAM: s.shutdown(socket.SHUT_WR)
    data = []
    while len(data) < 2:
        piece = s.recv(100)
        if not piece: break
        data.append(piece)
    return data if type != socket.SOCK_STREAM else b''.join(data).replace(b'got ', b'')
print(ask(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', int(tcp))))
print(ask(socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', int(udp))))
print(ask(socket.AF_UNIX, socket.SOCK_STREAM, stream))
print(ask(socket.AF_UNIX, socket.SOCK_DGRAM, datagram, True))
print(ask(socket.AF_UNIX, socket.SOCK_SEQPACKET, '\\0' + abstract))
`,
    ports[0] as number,
    ports[1] as number,
    stream,
    datagram,
    abstract,
  );
  const messages = "[b'got \\xe4\\xbd', b'got two']";
  const bytes = "b'\\xe4\\xbdtwo'";
  assert.equal(told, [bytes, messages, bytes, messages, messages, ''].join('\n'));
});

test('sockeye serve removes its socket files when it ends', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  const server = await serve(t, [`unix://${path}`, `unix-dgram://${path}.d`]);
  assert.ok(existsSync(path) && existsSync(`${path}.d`));
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
  assert.ok(!existsSync(path) && !existsSync(`${path}.d`));
});

test('sockeye serve --verbose says of a peer without a name that it is unnamed, and of one byte 1 byte', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  const server = await serve(t, [`unix://${path}`], '--verbose');
  assert.equal((await run(t, ['connect', `unix://${path}`], 'x')).stdout, 'x');
  await server.until(({ stderr }) => stderr.includes('disconnected'));
  assert.match(
    server.stderr.replace(/^listening .*\n/, '').replace(/\d+\.\d+ s/, 'N s'),
    /^connected unix:\(unnamed\) \(1 now\)\ndisconnected unix:\(unnamed\): done; received 1, sent 1 byte in N s \(0 now\)\n$/,
  );
});

test('sockeye serve takes over the file of a server that was killed', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  for (const scheme of ['unix', 'unix-dgram', 'unix-seqpacket']) {
    const killed = await serve(t, [`${scheme}://${path}`]);
    killed.child.kill('SIGKILL');
    await killed.exit();
    assert.ok(existsSync(path));
  }
  await serve(t, [`unix://${path}`]);
});

test('sockeye serve leaves a socket file alone while somebody listens on it', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  await serve(t, [`unix://${path}`]);
  for (const scheme of ['unix', 'unix-dgram', 'unix-seqpacket']) {
    const { status, stderr } = await run(t, ['serve', `${scheme}://${path}`]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^sockeye: cannot listen on .*: another process listens there already.*\n$/,
    );
  }
  const { stdout } = await run(t, ['connect', `unix://${path}`], 'still there');
  assert.equal(stdout, 'still there');
});

test('sockeye serve leaves a file alone that is no socket', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  writeFileSync(path, 'precious');
  const { status, stderr } = await run(t, ['serve', `unix://${path}`]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot listen on .*: the file exists and is no socket\n$/);
  assert.ok(existsSync(path));
});

test('sockeye serve unix-seqpacket:// does not put a quit word together of two messages', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  await serve(t, [`unix-seqpacket://${path}`], '--quit', 'quit');
  const told = await python(
    t,
    `s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(20); s.connect(sys.argv[1])
for word in b'qu', b'it', b'quit': s.send(word); print(s.recv(10))`,
    path,
  );
  assert.equal(told, "b'qu'\nb'it'\nb''\n");
});

test('sockeye connect and serve exchange messages over unix-seqpacket and unix-dgram', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  await serve(t, [`unix-seqpacket://${path}`, `unix-dgram://${path}.d`], '--reply', 'got ');
  const packets = await run(t, ['connect', `unix-seqpacket://${path}`], '你好');
  assert.deepEqual([packets.status, packets.stdout, packets.stderr], [0, 'got 你好', '']);
  const datagrams = await run(t, ['connect', `unix-dgram://${path}.d`], '你好');
  assert.deepEqual([datagrams.status, datagrams.stdout, datagrams.stderr], [0, 'got 你好', '']);
});

test('sockeye serve unix-dgram:// answers others while one client never reads', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  const server = await serve(t, [`unix-dgram://${path}`]);
  const sleeper = startPython(
    t,
    `s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('')
for i in range(2000): s.sendto(b'x' * 1000, sys.argv[1])
print('sent'); sys.stdin.read()`,
    path,
  );
  await sleeper.until(({ stdout }) => stdout.includes('sent'));
  const { stdout } = await run(t, ['connect', `unix-dgram://${path}`], 'awake');
  assert.equal(stdout, 'awake');
  assert.match(server.stderr, /dropped a datagram to unix-dgram:@.*EAGAIN/);
});

test('sockeye connect unix:// says that nobody listens on a dead file', async (t) => {
  const path = join(temporaryDirectory(t), 'socket');
  const server = start(t, 'serve', `unix://${path}`);
  await server.until(({ stderr }) => stderr.includes('listening'));
  server.child.kill('SIGKILL');
  await server.exit();
  const { status, stderr } = await run(t, ['connect', `unix://${path}`]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot connect to unix:.*ECONNREFUSED.*\n$/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs, PythonPeer } from '../testing/index.ts';
import { ServerProcess } from './server-process.test.support.ts';

/** Peers that send frames as long as the kernel takes them, and never read. */
const NEVER_READ = `
frame = struct.pack('!I', 1000) + b'x' * 1000
# A server that has worked has its working size already: what counts is what comes on top.
warm = [socket.create_connection(tuple(args[0])) for _ in range(200)]
for _ in range(20):
    for s in warm: s.sendall(frame * 100)
    for s in warm: receive_exactly(s, 100 * len(frame))
for s in warm: s.close()
say('warm')
hear()
sockets = []
for _ in range(args[1]):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(tuple(args[0]))
    s.setblocking(False)
    sockets.append(s)
quiet = 0
while quiet < 20:
    quiet += 1
    for s in sockets:
        try:
            if s.send(frame * 50) > 0: quiet = 0
        except BlockingIOError: pass
    time.sleep(0.01)
say('full')
hear()
`;

for (const sends of ['await messages.send(message)', 'void messages.send(message)']) {
  test(`200 peers that never read cost at most 64 MB with ${sends}`, async () => {
    await using server = new ServerProcess(`
      const server = await serve({ host: '127.0.0.1', port: 0 }, async (connection) => {
        const messages = framed(connection, lengthPrefix());
        for await (const message of messages) ${sends};
      });
      process.on('SIGUSR2', () => say(process.memoryUsage.rss()));
      say(server.address.port);
    `);
    const port = await server.hear<number>();
    await using peer = new PythonPeer(NEVER_READ, ['127.0.0.1', port], 200);
    assert.equal(await peer.hear(), 'warm');
    server.kill('SIGUSR2');
    const before = await server.hear<number>();
    peer.say(null);
    assert.equal(await peer.hear(), 'full');
    server.kill('SIGUSR2');
    const grown = ((await server.hear<number>()) - before) / 2 ** 20;
    assert.ok(grown <= 64, `grew by ${grown} MiB`);
    peer.say(null);
  });
}

/** 200 clients, of which as many are served as there is room for; then they leave. */
const CROWD = `
sockets = []
for _ in range(200):
    s = socket.create_connection(tuple(args[0]))
    s.sendall(b'x')
    sockets.append(s)
say('connected')
hear()
ready, _, _ = select.select(sockets, [], [], 0)
say(len(ready))
hear()
for s in sockets: s.close()
started = time.monotonic()
s = socket.create_connection(tuple(args[0]))
s.sendall(b'y')
assert s.recv(1) == b'y'
say(time.monotonic() - started)
`;

for (const maxConnections of ['undefined', 'Infinity']) {
  test(
    `64 descriptors and 200 clients: no spinning, and recovery, with maxConnections ${maxConnections}`,
    await needs('linux', 'prlimit'),
    async () => {
      await using server = new ServerProcess(
        `
      // After the modules were loaded, which takes more.
      execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:64']);
      const server = await serve({ host: '127.0.0.1', port: 0 }, async (connection) => {
        for await (const chunk of connection) await connection.sendall(chunk);
      }, { maxConnections: ${maxConnections}, firstByteTimeoutMs: Infinity });
      let last = process.cpuUsage();
      process.on('SIGUSR2', () => {
        const { user, system } = process.cpuUsage(last);
        last = process.cpuUsage();
        say({ cpuMs: (user + system) / 1000, pauses: server.counters.acceptPauses, open: server.connections });
      });
      say(server.address.port);
      `,
      );
      const port = await server.hear<number>();
      await using peer = new PythonPeer(CROWD, ['127.0.0.1', port]);
      assert.equal(await peer.hear(), 'connected');
      server.kill('SIGUSR2');
      await server.hear();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      server.kill('SIGUSR2');
      const { cpuMs, pauses, open } =
        await server.hear<Record<'cpuMs' | 'pauses' | 'open', number>>();
      assert.ok(cpuMs <= 0.05 * 2_000, `${cpuMs} ms of CPU in 2 s`);
      assert.equal(pauses > 0, maxConnections === 'Infinity');
      assert.ok(open >= 30 && open < 64, `${open} open`);
      peer.say(null);
      assert.equal(await peer.hear(), open);
      peer.say(null);
      const recovered = await peer.hear<number>();
      assert.ok(recovered <= 1, `a client was served after ${recovered} s`);
      const warnings = server.errors.match(/SOCKEYE_EXHAUSTED/g)?.length ?? 0;
      assert.equal(warnings, maxConnections === 'Infinity' ? 1 : 0);
    },
  );
}

test('SIGTERM with 500 requests in flight completes 500', async () => {
  await using server = new ServerProcess(`
    const server = await serve({ host: '127.0.0.1', port: 0, backlog: 1024 }, async (connection) => {
      const messages = framed(connection, lines());
      for await (const line of messages) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        await messages.send('done ' + line);
        if (!server.ready) return;
      }
    });
    process.once('SIGTERM', async () => {
      await server.drain();
      say(server.counters);
    });
    say(server.address.port);
  `);
  const port = await server.hear<number>();
  await using peer = new PythonPeer(
    `
    sockets = [socket.create_connection(tuple(args[0])) for _ in range(500)]
    for i, s in enumerate(sockets): s.sendall(b'%d\\n' % i)
    say('sent')
    complete = 0
    for i, s in enumerate(sockets):
        s.settimeout(10)
        data = b''
        while not data.endswith(b'\\n'):
            chunk = s.recv(100)
            if not chunk: break
            data += chunk
        complete += data == b'done %d\\n' % i
    try:
        socket.create_connection(tuple(args[0]))
        refused = False
    except ConnectionRefusedError:
        refused = True
    say([complete, refused])
    `,
    ['127.0.0.1', port],
  );
  assert.equal(await peer.hear(), 'sent');
  server.kill('SIGTERM');
  assert.deepEqual(await peer.hear(), [500, true]);
  const counters = await server.hear<{ accepted: number; handlerErrors: number }>();
  assert.equal(counters.accepted, 500);
  assert.equal(counters.handlerErrors, 0);
  assert.deepEqual(await server.exit, [0, null]);
});

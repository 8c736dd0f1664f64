import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { AF_INET, AF_INET6, AF_UNIX } from '../constants/index.ts';
import {
  countDescriptors,
  needs,
  PythonPeer,
  rejection,
  TemporaryDirectory,
} from '../testing/index.ts';
import { createConnection, createConnectionSync } from './create-connection.ts';
import { createServer, hasDualstackIpv6, hasIpv6 } from './create-server.ts';
import { setdefaulttimeout } from './default-timeout.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, listening } from './sockets.test.util.ts';

const ipv6 = await needs('ipv6');

/** A port on which nobody listens. */
function freePort(): number {
  using socket = new Socket();
  socket.bind(LOOPBACK);
  return socket.getsockname().port;
}

test('createConnection() connects to Python by name', await needs('python3'), async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    connection.sendall(b'hello')
  `);
  using socket = await createConnection({ host: 'localhost', port: await peer.hear<number>() });
  assert.equal((await socket.recv(10)).toString(), 'hello');
});

test('createConnection() keeps its timeout on the socket; without one the default counts', async () => {
  using listener = listening();
  const address = listener.getsockname();
  assert.equal((await createConnection(address, { timeout: 7 })).gettimeout(), 7);
  assert.equal((await createConnection(address)).gettimeout(), null);
  setdefaulttimeout(42);
  try {
    using socket = await createConnection(address);
    assert.equal(socket.gettimeout(), 42);
    using forever = createConnectionSync(address, { timeout: null });
    assert.equal(forever.gettimeout(), null);
  } finally {
    setdefaulttimeout(null);
  }
});

test('createConnection() comes from the sourceAddress', async () => {
  using listener = listening();
  const port = freePort();
  using socket = await createConnection(listener.getsockname(), {
    sourceAddress: { host: '127.0.0.1', port },
  });
  assert.equal(socket.getsockname().port, port);
  const [accepted, address] = await listener.accept();
  assert.equal(address.port, port);
  accepted.close();
});

const CROWD = `
  const { createConnection, createServer } = await import(${JSON.stringify(new URL('./index.js', import.meta.url))});
  const sockets = [];
  for (const [host, near] of [['127.0.0.1', '127.0.0.9'], ['::1', '::1']]) {
    for (const port of [5001, 5002]) {
      sockets.push(createServer({ host, port }));
      for (let i = 0; i < 4; i++) {
        const sourceAddress = { host: near, port: 0 };
        sockets.push(await createConnection({ host, port }, { sourceAddress }));
      }
    }
  }
  console.log(sockets.length);
  for (const socket of sockets) socket.close();
`;

test(
  'a sourceAddress without a port has as many connections as the target allows',
  await needs('namespaces'),
  () => {
    const { stdout, stderr } = spawnSync(
      'unshare',
      [
        '--net',
        'sh',
        '-ec',
        'ip link set lo up; echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"',
        'sh',
        process.execPath,
        '--input-type=module',
        '-e',
        CROWD,
      ],
      { encoding: 'utf8' },
    );
    // Two families, each with two listeners of four connections.
    assert.equal(stdout.trim(), '20', stderr);
  },
);

test('createConnection() connects to a Unix socket', async () => {
  using directory = new TemporaryDirectory();
  using listener = createServer({ path: directory.file('s') });
  using socket = await createConnection(listener.getsockname());
  assert.equal(socket.family, AF_UNIX);
  using blocking = createConnectionSync(listener.getsockname());
  assert.equal(blocking.family, AF_UNIX);
});

test('createConnection() that is refused rejects with the first error, or with all of them', async () => {
  const address = { host: '127.0.0.1', port: freePort() };
  const first = await rejection(createConnection(address));
  assert.deepEqual([first.name, first.code], ['SocketError', 'ECONNREFUSED']);
  const all = await rejection<AggregateError>(createConnection(address, { allErrors: true }));
  assert.deepEqual(
    all.errors.map(({ code }: { code: string }) => code),
    ['ECONNREFUSED'],
  );
  assert.throws(() => createConnectionSync(address), { code: 'ECONNREFUSED' });
  assert.throws(() => createConnectionSync(address, { allErrors: true }), AggregateError);
});

test('createConnection() gives up after its timeout and on abort, and leaves no descriptor', async () => {
  // A backlog of 0 that is full: further SYNs are not answered.
  using listener = listening(0);
  const address = listener.getsockname();
  const fillers = [0, 1, 2].map(() => new Socket());
  for (const socket of fillers) void socket.connect(address).catch(() => undefined);
  await fillers[0]?.poll(4);
  const before = countDescriptors();
  const late = await rejection(createConnection(address, { timeout: 0.1 }));
  assert.equal(late.name, 'TimeoutError');
  const controller = new AbortController();
  const aborted = createConnection(address, { signal: controller.signal });
  setImmediate(() => controller.abort(new Error('enough')));
  assert.equal((await rejection(aborted)).message, 'enough');
  assert.equal(await rejection(createConnection(address, { signal: AbortSignal.abort(1) })), 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(countDescriptors(), before);
  for (const socket of fillers) socket.close();
});

test('createConnection() refuses wrong arguments', async () => {
  for (const address of [null, 'localhost:80', {}, { host: 'x' }, { host: 1, port: 1 }]) {
    assert.ok((await rejection(createConnection(address as never))) instanceof TypeError);
    assert.throws(() => createConnectionSync(address as never), TypeError);
  }
  const address = { host: 'localhost', port: 1 };
  assert.ok((await rejection(createConnection(address, { timeout: -1 }))) instanceof RangeError);
  assert.ok(
    (await rejection(createConnection(address, { timeout: 'x' as never }))) instanceof TypeError,
  );
});

test('createServer() listens, and its port can be had again at once', async () => {
  const first = createServer(LOOPBACK);
  const address = first.getsockname();
  using client = await createConnection(address);
  const [accepted] = await first.accept();
  accepted.close();
  first.close();
  await client.recv(1);
  using again = createServer(address);
  assert.deepEqual(again.getsockname(), address);
});

test('createServer() shares a port with reusePort, and says who holds it without', () => {
  using first = createServer(LOOPBACK, { reusePort: true });
  using second = createServer(first.getsockname(), { reusePort: true });
  assert.deepEqual(second.getsockname(), first.getsockname());
  assert.throws(
    () => createServer(first.getsockname()),
    (error: Error & { code: string; hint?: string }) =>
      error.code === 'EADDRINUSE' && error.hint?.includes(String(process.pid)) === true,
  );
});

test('createServer() with dualstackIpv6 takes IPv4 and IPv6', ipv6, async () => {
  assert.equal(hasIpv6, true);
  assert.equal(hasDualstackIpv6(), true);
  using listener = createServer({ host: '', port: 0 }, { dualstackIpv6: true });
  assert.equal(listener.family, AF_INET6);
  const { port } = listener.getsockname();
  for (const [host, seen] of [
    ['127.0.0.1', '::ffff:127.0.0.1'],
    ['::1', '::1'],
  ] as const) {
    using client = await createConnection({ host, port });
    const [accepted, address] = await listener.accept();
    assert.equal(address.host, seen);
    accepted.close();
    client.close();
  }
  using only = createServer({ host: '::', port: 0 });
  const refused = createConnection({ host: '127.0.0.1', port: only.getsockname().port });
  assert.equal((await rejection(refused)).code, 'ECONNREFUSED');
});

test('createServer() refuses what does not go together', () => {
  const dual = { dualstackIpv6: true, family: AF_INET };
  assert.throws(() => createServer(LOOPBACK, dual), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => createServer(null as never), TypeError);
  assert.throws(() => createServer({ host: '127.0.0.1', port: 70_000 }), RangeError);
});

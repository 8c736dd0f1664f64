import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { InetAddress } from '../address/index.ts';
import { FrameTooLargeError, lines } from '../codec/index.ts';
import {
  IPPROTO_TCP,
  SHUT_RD,
  SHUT_WR,
  SO_LINGER,
  SOL_SOCKET,
  TCP_NODELAY,
} from '../constants/index.ts';
import { framed } from '../framed/index.ts';
import { createConnection, createServer, type Socket } from '../socket/index.ts';
import {
  countDescriptors,
  needs,
  PythonPeer,
  rejection,
  TemporaryDirectory,
  turns,
  until,
} from '../testing/index.ts';
import type { Connection } from './connection.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { serve } from './serve.ts';
import type { Handler, Server } from './server.ts';
import type { ServerOptions } from './server-options.ts';
import { ServerProcess } from './server-process.test.support.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const QUICK = { drainTimeoutMs: 100 };

const echo: Handler = async (connection) => {
  for await (const chunk of connection) await connection.sendall(chunk);
};

function start(handler: Handler, options: ServerOptions = {}): Promise<Server> {
  return serve(LOOPBACK, handler, { ...QUICK, ...options });
}

function connect(server: Server): Promise<Socket<number>> {
  return createConnection(server.address as InetAddress);
}

async function readAll(socket: Socket<number>): Promise<string> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await socket.recv(65_536);
    if (chunk.length === 0) return Buffer.concat(chunks).toString();
    chunks.push(chunk);
  }
}

test('serve() runs the handler for each client of Python, many at a time', async () => {
  await using server = await start(echo);
  await using peer = new PythonPeer(
    `
    sockets = [socket.create_connection(args[0]) for _ in range(50)]
    for i, s in enumerate(sockets): s.sendall(b'%d' % i)
    say([s.recv(100).decode() for s in reversed(sockets)])
    hear()
    for s in sockets: s.close()
    `,
    ['127.0.0.1', (server.address as InetAddress).port],
  );
  const replies = await peer.hear<string[]>();
  assert.deepEqual(
    replies,
    Array.from({ length: 50 }, (_, i) => String(49 - i)),
  );
  assert.equal(server.connections, 50);
  peer.say(null);
  await peer.end();
  await until(() => server.connections === 0, 'connections are closed');
  assert.equal(server.counters.accepted, 50);
  assert.equal(server.counters.closed, 50);
  assert.equal(server.counters.bytesReceived, 90);
  assert.equal(server.counters.bytesSent, 90);
});

test('serve() is a server for nc', await needs('nc'), async () => {
  await using server = await start(async (connection) => {
    const text = await connection.recv(100);
    await connection.sendall(Buffer.from(`hello ${text.toString()}`));
  });

  const nc = spawn('nc', ['127.0.0.1', String((server.address as InetAddress).port)]);
  nc.stdin.write('nc\n');
  const [text] = (await once(nc.stdout, 'data')) as [Buffer];
  assert.equal(String(text), 'hello nc\n');
  nc.kill();
  await once(nc, 'close');
});

test('a handler that throws ends its own connection only, and is told as an error', async () => {
  const published: unknown[] = [];
  const listen = (message: unknown): void => void published.push(message);
  subscribe('sockeye:connection:error', listen);
  await using server = await start(async (connection) => {
    const text = String(await connection.recv());
    if (text === 'bad') throw new Error('my fault');
    await connection.sendall(Buffer.from(text));
    await connection.recv();
  });
  const good = await connect(server);
  const bad = await connect(server);
  await good.sendall(Buffer.from('ok'));
  assert.equal(String(await good.recv(10)), 'ok');
  const told = once(server, 'error');
  await bad.sendall(Buffer.from('bad'));
  const [error, connection] = (await told) as [Error, Connection];
  assert.equal(error.message, 'my fault');
  assert.equal(await readAll(bad), '');
  assert.deepEqual(published, [{ server, connection, error }]);
  assert.equal(server.counters.handlerErrors, 1);
  assert.equal(server.connections, 1);
  unsubscribe('sockeye:connection:error', listen);
  good.close();
  bad.close();
});

test('a handler that throws at once, or no Error, is told as well', async () => {
  const errors: unknown[] = [];
  const reasons: unknown[] = [new Error('sync'), 'text', undefined];
  await using server = await start(() => {
    throw reasons[errors.length];
  });
  server.on('error', (error) => errors.push(error));
  for (let i = 0; i < reasons.length; i++) {
    const client = await connect(server);
    assert.equal(await readAll(client), '');
    client.close();
    await until(() => errors.length === i + 1, 'the error is told');
  }
  assert.deepEqual(errors, reasons);
  assert.equal(server.connections, 0);
});

test('an error without a listener for it is a process warning, and the server goes on', async () => {
  await using server = await start(() => {
    throw new Error('unheard');
  });
  const warned = once(process, 'warning');
  const client = await connect(server);
  const [warning] = (await warned) as [Error & { code: string }];
  assert.equal(warning.code, 'SOCKEYE_UNHANDLED');
  assert.match(warning.message, /handler failed: Error: unheard/);
  assert.equal(server.ready, true);
  client.close();
});

test('a reset by the peer is a disconnect and no error; an error of the handler after it is', async () => {
  let isOwn = false;
  await using server = await start(async (connection) => {
    try {
      for (;;) if ((await connection.recv()).length === 0) return;
    } catch (error) {
      if (isOwn) throw new TypeError('mine', { cause: error });
      throw error;
    }
  });
  const reset = async (): Promise<void> => {
    const client = await connect(server);
    await client.sendall(Buffer.from('x'));
    await until(() => server.connections === 1, 'it is accepted');
    client.setsockopt(SOL_SOCKET, SO_LINGER, Buffer.from(Int32Array.of(1, 0).buffer));
    client.close();
  };
  const gone = once(server, 'disconnect');
  await reset();
  const [error] = (await gone) as [Error & { code: string }];
  assert.equal(error.code, 'ECONNRESET');
  assert.equal(server.counters.handlerErrors, 0);
  isOwn = true;
  const told = once(server, 'error');
  await until(() => server.connections === 0, 'it is gone');
  await reset();
  assert.ok(((await told) as [Error])[0] instanceof TypeError);
});

test("an error of another socket's is the handler's, and so is one after close()", async () => {
  const errors: (Error & { code?: string })[] = [];
  await using closed = await start(echo);
  const { address } = closed;
  await closed.close();
  await using server = await start(async (connection) => {
    const text = await connection.recv();
    if (String(text) === 'close') {
      connection.close();
      throw new RangeError('after close');
    }
    await createConnection(address as InetAddress);
  });
  server.on('error', (error) => errors.push(error as Error));
  for (const text of ['connect', 'close']) {
    const client = await connect(server);
    await client.sendall(Buffer.from(text));
    await readAll(client);
    client.close();
  }
  await until(() => errors.length === 2, 'both are told');
  assert.deepEqual(
    errors.map(({ name, code }) => code ?? name),
    ['ECONNREFUSED', 'RangeError'],
  );
});

test('a peer that breaks the protocol is a disconnect', async () => {
  await using server = await start(async (connection) => {
    for await (const line of framed(connection, lines({ maxFrameBytes: 4 }))) void line;
  });
  const gone = once(server, 'disconnect');
  const client = await connect(server);
  await client.sendall(Buffer.from('too long\n'));
  const [error] = (await gone) as [Error];
  assert.ok(error instanceof FrameTooLargeError);
  client.close();
});

test('what a handler sent without waiting arrives, though the peer sent more than it read', async () => {
  await using server = await start(async (connection) => {
    await connection.recv(1);
    void connection.sendall(Buffer.alloc(300_000, 'x'));
  });
  const client = await connect(server);
  await client.sendall(Buffer.alloc(50_000));
  assert.equal((await readAll(client)).length, 300_000);
  client.close();
});

test('replies of framed() that the handler did not wait for arrive before the end', async () => {
  await using server = await start(async (connection) => {
    const messages = framed(connection, lines());
    for await (const line of messages) void messages.send(line.toUpperCase());
  });
  const client = await connect(server);
  await client.sendall(Buffer.from('a\nb\nlast'));
  client.shutdown(SHUT_WR);
  assert.equal(await readAll(client), 'A\nB\nLAST\n');
  client.close();
});

test("highWaterMark is the default of framed() on the server's connections", async () => {
  let rooms: boolean[] = [];
  await using server = await start(
    (connection) => {
      assert.equal(connection.highWaterMark, 100);
      const messages = framed(connection, lines());
      rooms = [50, 60].map((length) => {
        void messages.send('x'.repeat(length));
        return messages.hasRoom;
      });
    },
    { highWaterMark: 100 },
  );
  const client = await connect(server);
  assert.equal((await readAll(client)).length, 112);
  assert.deepEqual(rooms, [true, false]);
  client.close();
});

test('maxConnections waits in the backlog: nobody is accepted only to be closed', async () => {
  await using server = await start(echo, { maxConnections: 2 });
  // One after the other: the kernel's queue has its own order for those that come together.
  const clients: Socket<number>[] = [];
  for (let i = 0; i < 4; i++) clients.push(await connect(server));
  await Promise.all(clients.map((client, i) => client.sendall(Buffer.of(i))));
  const replies = clients.map(async (client) => (await client.recv(1))[0]);
  assert.deepEqual(await Promise.all(replies.slice(0, 2)), [0, 1]);
  await turns(5);
  assert.equal(server.connections, 2);
  assert.equal(server.counters.accepted, 2);
  clients[1]?.close();
  assert.equal(await replies[2], 2);
  clients[0]?.close();
  assert.equal(await replies[3], 3);
  assert.equal(server.counters.accepted, 4);
  for (const client of clients) client.close();
});

test('a ConnectionLimit holds for all servers that share it; an end at one lets in at the other', async () => {
  const maxConnections = new ConnectionLimit(2);
  await using one = await start(echo, { maxConnections });
  await using two = await start(echo, { maxConnections });
  const clients: Socket<number>[] = [];
  for (let i = 0; i < 2; i++) clients.push(await connect(one));
  await Promise.all(clients.map((client) => client.sendall(Buffer.of(0))));
  await Promise.all(clients.map((client) => client.recv(1)));
  assert.equal(maxConnections.count, 2);
  // The accept that waited already takes one, the next one waits.
  const further = [await connect(two), await connect(two)];
  await Promise.all(further.map((client) => client.sendall(Buffer.of(1))));
  await further[0]?.recv(1);
  await turns(5);
  assert.equal(two.counters.accepted, 1);
  clients.forEach((client) => client.close());
  assert.deepEqual(await further[1]?.recv(1), Buffer.of(1));
  further.forEach((client) => client.close());
  await Promise.all([one.drain(), two.drain()]);
  assert.equal(maxConnections.count, 0);
});

test('received and sent count what a connection carried', async () => {
  const counted: number[][] = [];
  await using server = await start(async (connection) => {
    await connection.recv();
    await connection.sendall(Buffer.from('four!'));
    counted.push([connection.received, connection.sent]);
  });
  const client = await connect(server);
  await client.sendall(Buffer.from('abc'));
  assert.equal(await readAll(client), 'four!');
  assert.deepEqual(counted, [[3, 5]]);
  client.close();
});

test('concurrency 1 serves one after the other, as Python does', async () => {
  const events: string[] = [];
  await using server = await start(
    async (connection) => {
      const text = String(await connection.recv());
      events.push(`begin ${text}`);
      await turns(3);
      events.push(`end ${text}`);
    },
    { concurrency: 1 },
  );
  const clients = [await connect(server), await connect(server)];
  await Promise.all(clients.map((client, i) => client.sendall(Buffer.from(`${i}`))));
  await Promise.all(clients.map(readAll));
  assert.deepEqual(events, ['begin 0', 'end 0', 'begin 1', 'end 1']);
  for (const client of clients) client.close();
});

test('maxConnectionsPerAddress closes what is above it, and lets in again', async () => {
  await using server = await start(echo, { maxConnectionsPerAddress: 1 });
  const refused = once(server, 'refused');
  const first = await connect(server);
  const second = await connect(server);
  assert.equal(await readAll(second), '');
  const [reason, address] = (await refused) as [string, InetAddress];
  assert.equal(reason, 'too many from this address');
  assert.equal(address.host, '127.0.0.1');
  const other = await createConnection(server.address as InetAddress, {
    sourceAddress: { host: '127.0.0.2', port: 0 },
  });
  await other.sendall(Buffer.from('x'));
  assert.equal(String(await other.recv(1)), 'x');
  first.close();
  await until(() => server.connections === 1, 'the first is gone');
  const third = await connect(server);
  await third.sendall(Buffer.from('y'));
  assert.equal(String(await third.recv(1)), 'y');
  for (const socket of [second, other, third]) socket.close();
});

const lists: [name: string, options: ServerOptions, isLetIn: boolean][] = [
  ['allow with its network', { allow: ['10.0.0.0/8', '127.0.0.0/30'] }, true],
  ['allow without it', { allow: ['10.0.0.0/8'] }, false],
  ['deny with its address', { deny: ['127.0.0.1'] }, false],
  ['deny before allow', { allow: ['127.0.0.1'], deny: ['127.0.0.0/8'] }, false],
  ['deny of others', { deny: ['::1', '192.0.2.0/24'] }, true],
];

for (const [name, options, isLetIn] of lists) {
  test(`a peer at 127.0.0.1 is ${isLetIn ? 'let in' : 'closed at once'} by ${name}`, async () => {
    await using server = await start(echo, options);
    const client = await connect(server);
    await client.sendall(Buffer.from('x')).catch(() => undefined);
    const got = await client.recv(1).catch(() => Buffer.alloc(0));
    assert.equal(String(got), isLetIn ? 'x' : '');
    assert.equal(server.counters.accepted, isLetIn ? 1 : 0);
    client.close();
  });
}

test('serve() refuses wrong options by name and leaves no socket', async () => {
  const before = countDescriptors('socket:');
  const wrong: [ServerOptions, RegExp][] = [
    [{ maxConnections: 0 }, /maxConnections/],
    [{ idleTimeoutMs: Number.NaN }, /idleTimeoutMs/],
    [{ allow: ['nonsense'] }, /allow/],
    [{ deny: ['10.0.0.0/40'] }, /deny/],
    [{ proxyProtocol: { trusted: ['x'] } }, /proxyProtocol\.trusted/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(start(echo, options), { message }, String(message));
  }
  await assert.rejects(serve(LOOPBACK, 'echo' as unknown as Handler), /handler/);
  assert.equal(countDescriptors('socket:'), before);
});

test('reusePort shares a port with threads and processes, and only with who asked for it', async () => {
  const say: Handler = (connection) => connection.sendall(Buffer.from('here'));
  await using here = await start(say, { reusePort: true });
  const address = here.address as InetAddress;
  assert.equal((await rejection(serve(address, echo, QUICK))).code, 'EADDRINUSE');
  const serving = (name: string): string =>
    `await serve(${JSON.stringify(address)}, (connection) =>
      connection.sendall(Buffer.from('${name}')), { reusePort: true });`;
  await using child = new ServerProcess(`${serving('process')} say('up');`);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData).then(async ({ serve }) => {
      ${serving('thread')}
      parentPort.postMessage('up');
    });
  `;
  const module = new URL('./index.js', import.meta.url).href;
  const thread = new Worker(script, { eval: true, workerData: module });
  await Promise.all([child.hear(), once(thread, 'message')]);
  const answered = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const client = await connect(here);
    answered.add(await readAll(client));
    client.close();
  }
  assert.deepEqual([...answered].sort(), ['here', 'process', 'thread']);
  await thread.terminate();
});

test(
  'dualstackIpv6 takes IPv4 clients at ::, which has only IPv6 otherwise',
  await needs('ipv6'),
  async () => {
    for (const dualstackIpv6 of [true, false]) {
      const address = { host: '::', port: 0 };
      await using server = await serve(address, echo, { ...QUICK, dualstackIpv6 });
      const { port } = server.address as InetAddress;
      (await createConnection({ host: '::1', port })).close();
      const client = createConnection({ host: '127.0.0.1', port });
      if (dualstackIpv6) (await client).close();
      else assert.equal((await rejection(client)).code, 'ECONNREFUSED');
    }
  },
);

test('connections have TCP_NODELAY unless noDelay is false', async () => {
  for (const noDelay of [undefined, false]) {
    let value: number | undefined;
    await using server = await start(
      (connection) => {
        value = connection.socket.getsockopt(IPPROTO_TCP, TCP_NODELAY);
      },
      { noDelay },
    );
    const client = await connect(server);
    await readAll(client);
    assert.equal(value !== 0, noDelay === undefined);
    client.close();
  }
});

test('drain() stops listening at once and lets handlers finish', async () => {
  let release = (): void => undefined;
  const server = await start(
    async (connection) => {
      await connection.recv();
      await new Promise<void>((resolve) => (release = resolve));
      await connection.sendall(Buffer.from('done'));
    },
    { drainTimeoutMs: 5_000 },
  );
  const client = await connect(server);
  await client.sendall(Buffer.from('x'));
  await until(() => server.connections === 1, 'it is accepted');
  const told = once(server, 'drain');
  const drained = server.drain();
  assert.equal(server.drain(), drained);
  await told;
  assert.equal(server.ready, false);
  assert.equal((await rejection(connect(server))).code, 'ECONNREFUSED');
  await turns(2);
  release();
  assert.equal(await readAll(client), 'done');
  await drained;
  assert.equal(server.connections, 0);
  client.close();
});

test('drain() serves who waited in the backlog', async () => {
  const server = await start(echo, { drainTimeoutMs: 5_000 });
  const clients = await Promise.all(Array.from({ length: 40 }, () => connect(server)));
  const drained = server.drain();
  await Promise.all(clients.map((client) => client.sendall(Buffer.from('x'))));
  for (const client of clients) {
    assert.equal(String(await client.recv(1)), 'x');
    client.close();
  }
  await drained;
  assert.equal(server.counters.accepted, 40);
});

test('drain() ends what is left at its deadline, with a signal that aborts', async () => {
  let signal: AbortSignal | undefined;
  const server = await start(async (connection) => {
    ({ signal } = connection);
    await connection.recv();
  });
  const gone = once(server, 'disconnect');
  const client = await connect(server);
  await until(() => signal !== undefined, 'the handler runs');
  const started = performance.now();
  await server.drain({ timeoutMs: 50 });
  assert.ok(performance.now() - started >= 49);
  assert.equal(signal?.aborted, true);
  const [error] = (await gone) as [Error & { code: string }];
  assert.equal(error.code, 'ECONNABORTED');
  assert.equal(await readAll(client), '');
  client.close();
});

test('close() ends everything now, and so does the signal', async () => {
  for (const bySignal of [false, true]) {
    const controller = new AbortController();
    const server = await start(echo, { signal: controller.signal });
    const client = await connect(server);
    await client.sendall(Buffer.from('x'));
    await client.recv(1);
    if (bySignal) controller.abort();
    else await server.close();
    assert.equal(await readAll(client), '');
    assert.equal(server.ready, false);
    assert.equal((await rejection(connect(server))).code, 'ECONNREFUSED');
    await until(() => server.connections === 0, 'the handlers are done');
    client.close();
  }
  const aborted = AbortSignal.abort(new Error('before'));
  await assert.rejects(start(echo, { signal: aborted }), /before/);
});

test('serve() at a Unix path removes it, and takes a socket that listens', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('socket');
  const server = await serve({ path }, echo, QUICK);
  const client = await createConnection({ path });
  await client.sendall(Buffer.from('x'));
  assert.equal(String(await client.recv(1)), 'x');
  client.close();
  await server.drain();
  assert.equal((await rejection(createConnection({ path }))).code, 'ENOENT');
  const listener = createServer(LOOPBACK);
  await using second = await serve(listener, echo, QUICK);
  assert.equal(second.listener, listener);
  const other = await createConnection(listener.getsockname());
  await other.sendall(Buffer.from('y'));
  assert.equal(String(await other.recv(1)), 'y');
  other.close();
});

test('the context of AsyncLocalStorage is that of serve(), and each connection has its own', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const server = await storage.run('serve', () =>
    start(
      async (connection) => {
        seen.push(storage.getStore());
        storage.enterWith('handler');
        await connection.recv();
        seen.push(storage.getStore());
      },
      { maxConnections: 1 },
    ),
  );
  for (let i = 0; i < 3; i++) {
    const client = await connect(server);
    await client.sendall(Buffer.from('x'));
    await readAll(client);
    client.close();
  }
  await server.drain();
  assert.deepEqual(seen, ['serve', 'handler', 'serve', 'handler', 'serve', 'handler']);
});

test('a connection knows its addresses, reads into buffers and ends its sending side', async () => {
  let addresses: unknown[] = [];
  await using server = await start(async (connection, address) => {
    addresses = [connection.remote, address, connection.local];
    const buffer = Buffer.alloc(4);
    assert.equal(await connection.recvInto(buffer, 2), 2);
    await connection.shutdown();
    const rest: Buffer[] = [];
    for await (const chunk of connection) rest.push(chunk);
    await assert.rejects(connection.sendall(Buffer.concat(rest)), { code: 'EPIPE' });
  });
  const errors: unknown[] = [];
  server.on('error', (error) => errors.push(error));
  const client = await connect(server);
  await client.sendall(Buffer.from('ab'));
  assert.equal(await readAll(client), '');
  await client.sendall(Buffer.from('rest'));
  const remote = client.getsockname();
  client.close();
  await until(() => server.counters.closed === 1, 'the handler is done');
  assert.deepEqual(addresses, [remote, remote, server.address]);
  assert.deepEqual(errors, []);
});

test('metrics() is in the text format of Prometheus, and counts', async () => {
  await using server = await start(echo, { deny: ['127.0.0.2'] });
  const client = await connect(server);
  await client.sendall(Buffer.from('12345'));
  await client.recv(5);
  const denied = await createConnection(server.address as InetAddress, {
    sourceAddress: { host: '127.0.0.2', port: 0 },
  });
  await readAll(denied);
  denied.close();
  const text = server.metrics();
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  assert.ok(text.endsWith('\n'));
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (\w+) (counter|gauge)$/.exec(line);
    if (type !== null) types.set(String(type[1]), String(type[2]));
    else if (!line.startsWith('# HELP ')) {
      const sample = /^([a-z_]+)(?:\{[a-z_]+="[a-z_]+"\})? (\d+)$/.exec(line);
      assert.ok(sample !== null, line);
      assert.ok(types.has(String(sample[1])), line);
      samples.set(line.slice(0, line.lastIndexOf(' ')), Number(sample[2]));
    }
  }
  assert.equal(samples.get('sockeye_connections_open'), 1);
  assert.equal(samples.get('sockeye_connections_accepted_total'), 1);
  assert.equal(samples.get('sockeye_connections_refused_total{reason="denied"}'), 1);
  assert.equal(samples.get('sockeye_ready'), 1);
  client.close();
});

test('5,000 connections leave no descriptor behind', async () => {
  await using server = await start(echo);
  await using peer = new PythonPeer(
    `
    for _ in range(50):
        sockets = [socket.create_connection(args[0]) for _ in range(100)]
        for i, s in enumerate(sockets): s.sendall(b'x')
        for s in sockets: assert s.recv(1) == b'x'
        for i, s in enumerate(sockets):
            if i % 3 == 0: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            s.close()
    say('done')
    `,
    ['127.0.0.1', (server.address as InetAddress).port],
  );
  const before = countDescriptors('socket:', 'anon_inode:[eventpoll]');
  assert.equal(await peer.hear(), 'done');
  await until(() => server.counters.closed === 5_000, 'all are closed');
  assert.equal(server.connections, 0);
  assert.equal(countDescriptors('socket:', 'anon_inode:[eventpoll]'), before);
});

test('a handler that shut down receiving, and then got bytes, loses nothing of what it sent', async () => {
  const steps = new EventEmitter();
  const shut = once(steps, 'shut');
  await using server = await start(async (connection) => {
    await connection.sendall(Buffer.from('farewell'));
    connection.socket.shutdown(SHUT_RD);
    assert.equal((await connection.recv()).length, 0);
    const sent = once(steps, 'sent');
    steps.emit('shut');
    await sent;
  });
  await using client = await connect(server);
  await shut;
  await client.sendall(Buffer.from('unread'));
  steps.emit('sent');
  client.shutdown(SHUT_WR);
  await until(() => server.counters.closed === 1, 'it is closed');
  assert.equal(await readAll(client), 'farewell');
});

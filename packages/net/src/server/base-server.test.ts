// What the servers do beyond CPython's tests: concurrency, limits, options, timeouts, the end.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Address, InetAddress } from '../address/index.ts';
import { AF_INET, AF_INET6, SO_REUSEADDR, SOCK_DGRAM, SOL_SOCKET } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { createConnection, Socket } from '../socket/index.ts';
import {
  countDescriptors,
  needs,
  rejection,
  TemporaryDirectory,
  turns,
  until,
} from '../testing/index.ts';
import { BaseRequestHandler } from './base-request-handler.ts';
import type { DatagramRequest } from './datagram-request-handler.ts';
import EchoLineHandler from './echo-line-handler.test.support.ts';
import { exchangeStream } from './exchange.test.support.ts';
import { receiveLine } from './receive-line.test.support.ts';
import type { SocketServerOptions } from './socket-server-options.ts';
import { StreamRequestHandler } from './stream-request-handler.ts';
import { TCPServer } from './tcp-server.ts';
import { UDPServer } from './udp-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';

const HERE: InetAddress = { host: '127.0.0.1', port: 0 };

/** A TCPServer that keeps what handleError hears. */
class Recording extends TCPServer {
  readonly errors: unknown[] = [];
  override handleError(error: unknown): void {
    this.errors.push(error);
  }
}

async function echoing(count: number, options: SocketServerOptions, server?: TCPServer) {
  const used = server ?? new TCPServer(HERE, EchoLineHandler, options);
  const clients: Socket<number>[] = [];
  // One after the other: their order counts.
  while (clients.length < count) clients.push(await createConnection(used.serverAddress));
  return { server: used, clients, serving: used.serveForever() };
}

test('a plain server handles many requests at a time, in any order', async () => {
  const { server, clients, serving } = await echoing(50, {});
  await until(() => server.connections === 50, 'all are taken');
  for (const client of clients.toReversed()) {
    await client.sendall(Buffer.from('x\n'));
    assert.equal(await receiveLine(client), 'x\n');
    client.close();
  }
  await server.serverClose();
  await serving;
});

test('concurrency: 1 handles one request after the other, in the order they came', async () => {
  const { server, clients, serving } = await echoing(3, { concurrency: 1 });
  await until(() => server.connections === 1, 'one is taken');
  const [first, second, third] = clients as [Socket<number>, Socket<number>, Socket<number>];
  for (const client of [third, second, first]) await client.sendall(Buffer.from('x\n'));
  const order: number[] = [];
  await Promise.all(clients.map(async (client, i) => (await receiveLine(client)) && order.push(i)));
  assert.deepEqual(order, [0, 1, 2]);
  for (const client of clients) client.close();
  await server.serverClose();
  await serving;
});

test('maxConnections leaves further clients waiting, and turns none away', async () => {
  const { server, clients, serving } = await echoing(6, { maxConnections: 2 });
  for (const [i, client] of clients.entries()) {
    await until(() => server.connections === Math.min(2, 6 - i), 'two are taken');
    await client.sendall(Buffer.from('x\n'));
    assert.equal(await receiveLine(client), 'x\n');
    client.close();
  }
  await server.serverClose();
  await serving;
});

test('allow, deny and maxConnectionsPerAddress close what they refuse', async () => {
  const cases: [SocketServerOptions, string][] = [
    [{ allow: ['10.0.0.0/8'] }, ''],
    [{ deny: ['127.0.0.1'] }, ''],
    [{ allow: ['127.0.0.0/8'] }, 'x\n'],
    [{ maxConnectionsPerAddress: 1 }, 'x\n'],
  ];
  for (const [options, expected] of cases) {
    const { server, clients, serving } = await echoing(1, options);
    const [client] = clients as [Socket<number>];
    await client.sendall(Buffer.from('x\n')).catch(() => undefined);
    assert.equal(await receiveLine(client).catch(() => ''), expected);
    client.close();
    await server.serverClose();
    await serving;
  }
  const { server, clients, serving } = await echoing(2, { maxConnectionsPerAddress: 1 });
  const [first, second] = clients as [Socket<number>, Socket<number>];
  assert.equal((await second.recv(1)).length, 0);
  await first.sendall(Buffer.from('x\n'));
  assert.equal(await receiveLine(first), 'x\n');
  first.close();
  second.close();
  await server.serverClose();
  await serving;
});

test('options that only serve() has are refused', () => {
  for (const option of ['tls', 'proxyProtocol', 'dualstackIpv6']) {
    const make = () => new TCPServer(HERE, EchoLineHandler, { [option]: {} });
    assert.throws(make, {
      code: 'ERR_INVALID_ARG_VALUE',
      message: RegExp(`^Cannot use ${option}: `),
    });
  }
  assert.throws(() => new TCPServer(HERE, 'handler' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('statics are class variables: a subclass sets them, instances start with them', () => {
  class Mine extends TCPServer {
    static override requestQueueSize = 7;
    static override allowReuseAddress = true;
    static override timeout = 1.5;
  }
  const mine = new Mine(HERE, EchoLineHandler);
  assert.deepEqual([mine.requestQueueSize, mine.allowReuseAddress, mine.timeout], [7, true, 1.5]);
  assert.equal(mine.socket.getsockopt(SOL_SOCKET as number, SO_REUSEADDR as number), 1);
  const plain = new TCPServer(HERE, EchoLineHandler);
  assert.equal(plain.socket.getsockopt(SOL_SOCKET as number, SO_REUSEADDR as number), 0);
  const given = new Mine(HERE, EchoLineHandler, { allowReuseAddress: false, backlog: 3 });
  assert.deepEqual([given.requestQueueSize, given.allowReuseAddress], [3, false]);
  for (const server of [mine, plain, given]) server.socket.close();
});

test('a field that a subclass sets too late applies where it can, else a warning says so', async () => {
  const backlogs: number[] = [];
  class Late extends TCPServer {
    override requestQueueSize = 9;
    override allowReuseAddress = true;
    override serverActivate(): void {
      backlogs.push(this.requestQueueSize);
      super.serverActivate();
    }
  }
  await using server = new Late(HERE, EchoLineHandler);
  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  const serving = server.serveForever();
  const [{ code, message }] = await warned;
  assert.equal(code, 'SOCKEYE_SET_TOO_LATE');
  assert.match(message, /^allowReuseAddress was set after /);
  assert.deepEqual(backlogs, [TCPServer.requestQueueSize, 9]);
  await server.shutdown();
  await serving;
});

test('bindAndActivate: false leaves binding to serverBind() and serverActivate()', async () => {
  await using server = new TCPServer(HERE, EchoLineHandler, { bindAndActivate: false });
  server.allowReuseAddress = true;
  server.serverBind();
  server.serverActivate();
  assert.notEqual(server.serverAddress.port, 0);
  const handled = server.handleRequest();
  await exchangeStream(server.addressFamily, server.serverAddress);
  await handled;
});

test('a numeric IPv6 address makes an AF_INET6 server', await needs('ipv6'), async () => {
  await using server = new TCPServer({ host: '::1', port: 0 }, EchoLineHandler);
  assert.equal(server.addressFamily, AF_INET6);
});

test('handleRequest() calls handleTimeout() after the lesser of both timeouts', async () => {
  let timeouts = 0;
  class Impatient extends TCPServer {
    override handleTimeout(): void {
      timeouts++;
    }
  }
  await using server = new Impatient(HERE, EchoLineHandler);
  for (const [own, socket] of [
    [0.02, null],
    [null, 0.02],
    [30, 0.02],
    [0.02, 30],
    [0, null],
  ] as const) {
    server.timeout = own;
    server.socket.settimeout(socket);
    await server.handleRequest();
  }
  assert.equal(timeouts, 5);
});

test('serveForever() ignores timeouts and calls serviceActions() while nothing comes', async () => {
  let actions = 0;
  class Busy extends TCPServer {
    override serviceActions(): void {
      actions++;
    }
  }
  await using server = new Busy(HERE, EchoLineHandler);
  server.timeout = 0.01;
  server.socket.settimeout(0.01);
  const serving = server.serveForever(0.005);
  await until(() => actions >= 3, 'service actions');
  await exchangeStream(server.addressFamily, server.serverAddress);
  await server.shutdown();
  await serving;
});

test('serveForever() of a server that serves rejects, and of a closed one returns', async () => {
  const server = new TCPServer(HERE, EchoLineHandler);
  const serving = server.serveForever();
  assert.equal((await rejection(server.serveForever())).code, 'ERR_INVALID_STATE');
  assert.equal((await rejection(server.serveForever(0))).name, 'RangeError');
  await server.serverClose();
  await serving;
  await server.serveForever();
});

test('finish() runs after a failing handle() and not after a failing setup()', async () => {
  const calls: string[] = [];
  class Failing extends BaseRequestHandler<Socket<number>> {
    override async setup() {
      calls.push('setup');
      await turns();
      if ((await this.request.recv(1)).toString() === 's') throw new Error('setup');
    }
    override async handle() {
      await turns();
      throw new Error('handle');
    }
    override async finish() {
      await turns();
      calls.push('finish');
      throw new Error('finish');
    }
  }
  await using server = new Recording(HERE, Failing);
  for (const what of ['s', 'h']) {
    using client = await createConnection(server.serverAddress);
    await client.sendall(Buffer.from(what));
    await server.handleRequest();
  }
  assert.deepEqual(calls, ['setup', 'setup', 'finish']);
  const [first, second] = server.errors as [Error, Error];
  assert.equal(first.message, 'setup');
  assert.equal(second.message, 'finish');
  assert.equal((second.cause as Error).message, 'handle');
});

test('a failing handler hurts no other, and the default handleError() warns with its stack', async () => {
  class Picky extends EchoLineHandler {
    override async handle(): Promise<void> {
      await super.handle();
      if ((await this.rfile.readline())?.toString() === 'fail\n') throw new RangeError('too picky');
    }
  }
  await using server = new TCPServer(HERE, Picky);
  const serving = server.serveForever();
  using good = await createConnection(server.serverAddress);
  using bad = await createConnection(server.serverAddress);
  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  await bad.sendall(Buffer.from('one\nfail\n'));
  assert.equal(await receiveLine(bad), 'one\n');
  assert.equal((await bad.recv(1)).length, 0);
  const [warning] = await warned;
  assert.equal(warning.code, 'SOCKEYE_UNHANDLED');
  assert.match(warning.message, /127\.0\.0\.1.*RangeError: too picky\n/s);
  await good.sendall(Buffer.from('still here\n'));
  assert.equal(await receiveLine(good), 'still here\n');
  good.close();
  await server.shutdown();
  await serving;
});

test('deadlines end connections of silent clients with a ConnectionTimeoutError', async () => {
  for (const option of ['firstByteTimeoutMs', 'idleTimeoutMs'] as const) {
    await using server = new Recording(HERE, EchoLineHandler, { [option]: 30 });
    const handled = server.handleRequest();
    using client = await createConnection(server.serverAddress);
    assert.equal((await client.recv(1)).length, 0);
    await handled;
    const [error] = server.errors as [Error];
    assert.equal(error.name, 'ConnectionTimeoutError');
  }
});

test('serverClose() lets handlers finish, then ends them after drainTimeoutMs', async () => {
  await using patient = new Recording(HERE, EchoLineHandler);
  await using strict = new Recording(HERE, EchoLineHandler, { drainTimeoutMs: 20 });
  for (const server of [patient, strict]) {
    const { clients, serving } = await echoing(1, {}, server);
    const [client] = clients as [Socket<number>];
    await until(() => server.connections === 1, 'it is taken');
    const closing = server.serverClose();
    await serving;
    if (server === patient) {
      await client.sendall(Buffer.from('late\n'));
      assert.equal(await receiveLine(client), 'late\n');
    }
    await closing;
    assert.equal(server.connections, 0);
    assert.deepEqual(server.errors, []);
    client.close();
  }
});

test('aborting the signal closes the server', async () => {
  const controller = new AbortController();
  const server = new TCPServer(HERE, EchoLineHandler, { signal: controller.signal });
  const serving = server.serveForever();
  controller.abort();
  await serving;
  assert.equal(server.socket.closed, true);
  const { signal } = controller;
  assert.throws(() => new TCPServer(HERE, EchoLineHandler, { signal }), { name: 'AbortError' });
});

test('a getRequest() that fails for want of a descriptor is tried again after a pause', async () => {
  let failures = 3;
  class Exhausted extends TCPServer {
    override getRequest() {
      if (failures-- > 0) throw new SocketError('accept', 24);
      return super.getRequest();
    }
  }
  await using server = new Exhausted(HERE, EchoLineHandler);
  const pauses: unknown[] = [];
  const listen = (message: unknown): number =>
    pauses.push((message as { pauseMs: number }).pauseMs);
  subscribe('sockeye:accept:pause', listen);
  const began = performance.now();
  const serving = server.serveForever();
  await exchangeStream(server.addressFamily, server.serverAddress);
  unsubscribe('sockeye:accept:pause', listen);
  assert.deepEqual(pauses, [100, 200, 400]);
  // 100, 200 and 400 ms; a timer may fire a millisecond early.
  assert.ok(performance.now() - began > 690);
  await server.shutdown();
  await serving;
});

test('a sendall() that the handler did not wait for arrives before the end', async () => {
  const SIZE = 8 * 1024 * 1024;
  class Hasty extends BaseRequestHandler<Socket<number>> {
    override handle(): void {
      void this.request.sendall(Buffer.alloc(SIZE));
    }
  }
  await using server = new TCPServer(HERE, Hasty);
  const handled = server.handleRequest();
  using client = await createConnection(server.serverAddress);
  let received = 0;
  for await (const chunk of client) received += (chunk as Buffer).length;
  await handled;
  assert.equal(received, SIZE);
});

test('timeout, rbufsize and wbufsize of a StreamRequestHandler apply', async () => {
  const seen: unknown[] = [];
  class Tuned extends StreamRequestHandler {
    override timeout = 0.02;
    override wbufsize = 100;
    override disableNagleAlgorithm = true;
    override async handle() {
      seen.push(this.connection.gettimeout());
      await this.wfile.write(Buffer.from('buffered'));
      seen.push((await rejection(this.rfile.readline())).name);
    }
  }
  await using server = new TCPServer(HERE, Tuned);
  const handled = server.handleRequest();
  using client = await createConnection(server.serverAddress);
  await handled;
  assert.deepEqual(seen, [0.02, 'TimeoutError']);
  assert.equal((await client.recv(100)).toString(), 'buffered');
});

test('UDPServer warns once that datagrams were cut to maxPacketSize', async () => {
  const sizes: number[] = [];
  class Sizes extends BaseRequestHandler<DatagramRequest> {
    override handle(): void {
      sizes.push(this.request[0].length);
    }
  }
  class Small extends UDPServer {
    static override maxPacketSize = 10;
  }
  await using server = new Small(HERE, Sizes);
  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  using client = new Socket<number>(AF_INET, SOCK_DGRAM);
  for (const size of [10, 11, 5]) {
    await client.sendto(Buffer.alloc(size), server.serverAddress);
    await server.handleRequest();
  }
  assert.deepEqual(sizes, [10, 10, 5]);
  assert.equal((await warned)[0].code, 'SOCKEYE_DATAGRAM_CUT');
});

test('UnixStreamServer leaves a file alone that has taken the name of its own', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('socket');
  const server = new UnixStreamServer({ path }, EchoLineHandler);
  renameSync(path, directory.file('elsewhere'));
  writeFileSync(path, 'precious');
  await server.serverClose();
  assert.equal(existsSync(path), true);
});

test('a server serves on a Socket that listens already', async () => {
  const before = countDescriptors('socket:');
  {
    const first = new TCPServer(HERE, EchoLineHandler);
    const address: Address = first.serverAddress;
    await using second = new TCPServer(first.socket, EchoLineHandler);
    assert.deepEqual(second.serverAddress, address);
    const handled = second.handleRequest();
    await exchangeStream(second.addressFamily, address);
    await handled;
  }
  assert.equal(countDescriptors('socket:'), before);
});

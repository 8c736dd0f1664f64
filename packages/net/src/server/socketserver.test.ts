// What CPython's own tests demand of socketserver, in this library's terms.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Address, InetAddress } from '../address/index.ts';
import { createConnection, type Socket } from '../socket/index.ts';
import { countDescriptors, TemporaryDirectory } from '../testing/index.ts';
import { BaseRequestHandler } from './base-request-handler.ts';
import EchoDatagramHandler from './echo-datagram-handler.test.support.ts';
import EchoLineHandler from './echo-line-handler.test.support.ts';
import { exchangeDatagram, exchangeStream } from './exchange.test.support.ts';
import { ForkingTCPServer } from './forking-tcp-server.ts';
import { ForkingUDPServer } from './forking-udp-server.ts';
import { ForkingUnixDatagramServer } from './forking-unix-datagram-server.ts';
import { ForkingUnixStreamServer } from './forking-unix-stream-server.ts';
import { receiveLine } from './receive-line.test.support.ts';
import { StreamRequestHandler } from './stream-request-handler.ts';
import { TCPServer } from './tcp-server.ts';
import { ThreadingTCPServer } from './threading-tcp-server.ts';
import { ThreadingUDPServer } from './threading-udp-server.ts';
import { ThreadingUnixDatagramServer } from './threading-unix-datagram-server.ts';
import { ThreadingUnixStreamServer } from './threading-unix-stream-server.ts';
import { UDPServer } from './udp-server.ts';
import { UnixDatagramServer } from './unix-datagram-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';

const HERE: InetAddress = { host: '127.0.0.1', port: 0 };
const LINES = new URL('./echo-line-handler.test.support.js', import.meta.url);
const DATAGRAMS = new URL('./echo-datagram-handler.test.support.js', import.meta.url);

interface AnyServer extends AsyncDisposable {
  readonly serverAddress: Address;
  readonly addressFamily: number;
  readonly socket: Socket<number>;
  serveForever(pollInterval?: number): Promise<void>;
  shutdown(): Promise<void>;
  serverClose(): Promise<void>;
}

type Exchange = (family: number, address: Address) => Promise<void>;

async function serveThree(server: AnyServer, exchange: Exchange): Promise<void> {
  assert.deepEqual(server.serverAddress, server.socket.getsockname());
  const serving = server.serveForever(0.01);
  for (let i = 0; i < 3; i++) await exchange(server.addressFamily, server.serverAddress);
  await server.shutdown();
  await serving;
  await server.serverClose();
  assert.equal(server.socket.fileno(), -1);
}

const kinds: [string, Exchange, (path: string) => AnyServer][] = [
  ['TCPServer', exchangeStream, () => new TCPServer(HERE, EchoLineHandler)],
  ['UDPServer', exchangeDatagram, () => new UDPServer(HERE, EchoDatagramHandler)],
  ['UnixStreamServer', exchangeStream, (path) => new UnixStreamServer({ path }, EchoLineHandler)],
  [
    'UnixDatagramServer',
    exchangeDatagram,
    (path) => new UnixDatagramServer({ path }, EchoDatagramHandler),
  ],
  ['ThreadingTCPServer', exchangeStream, () => new ThreadingTCPServer(HERE, LINES)],
  ['ThreadingUDPServer', exchangeDatagram, () => new ThreadingUDPServer(HERE, DATAGRAMS)],
  [
    'ThreadingUnixStreamServer',
    exchangeStream,
    (path) => new ThreadingUnixStreamServer({ path }, LINES),
  ],
  [
    'ThreadingUnixDatagramServer',
    exchangeDatagram,
    (path) => new ThreadingUnixDatagramServer({ path }, DATAGRAMS),
  ],
  ['ForkingTCPServer', exchangeStream, () => new ForkingTCPServer(HERE, LINES)],
  ['ForkingUDPServer', exchangeDatagram, () => new ForkingUDPServer(HERE, DATAGRAMS)],
  [
    'ForkingUnixStreamServer',
    exchangeStream,
    (path) => new ForkingUnixStreamServer({ path }, LINES),
  ],
  [
    'ForkingUnixDatagramServer',
    exchangeDatagram,
    (path) => new ForkingUnixDatagramServer({ path }, DATAGRAMS),
  ],
];

for (const [name, exchange, make] of kinds) {
  test(`${name} answers clients one after the other, and serverClose() leaves nothing`, async () => {
    using directory = new TemporaryDirectory();
    const before = countDescriptors('socket:');
    await serveThree(make(directory.file('socket')), exchange);
    assert.equal(countDescriptors('socket:'), before);
    assert.equal(existsSync(directory.file('socket')), false);
  });
}

test('shutdown() ends serveForever() of 20 servers, called right after it', async () => {
  const servers = Array.from({ length: 20 }, () => new TCPServer(HERE, StreamRequestHandler));
  const serving = servers.map((server) => server.serveForever(0.01));
  for (const server of servers) await server.shutdown();
  await Promise.all(serving);
  for (const server of servers) await server.serverClose();
});

test('shutdown() before serveForever() has it return at once, and only once', async () => {
  await using server = new TCPServer(HERE, EchoLineHandler);
  await server.shutdown();
  await server.serveForever();
  const serving = server.serveForever();
  await exchangeStream(server.addressFamily, server.serverAddress);
  await server.shutdown();
  await serving;
});

test('serverClose() right after the constructor of a Threading server closes it', async () => {
  const server = new ThreadingTCPServer(HERE, LINES);
  await server.serverClose();
  assert.equal(server.fileno(), -1);
});

test('new TCPServer() leaves no socket open when bind fails, 1,024 times', () => {
  const before = countDescriptors('socket:');
  for (let i = 0; i < 1024; i++) {
    assert.throws(
      () => new TCPServer({ host: '127.0.0.1', port: -1 }, EchoLineHandler),
      RangeError,
    );
  }
  assert.equal(countDescriptors('socket:'), before);
});

test('await using closes a server', async () => {
  let server: TCPServer;
  {
    await using scoped = new TCPServer(HERE, StreamRequestHandler);
    server = scoped;
  }
  assert.equal(server.socket.fileno(), -1);
});

/** Makes one request to a server whose handler throws; returns what was called. */
async function failingRequest(error: unknown): Promise<string[]> {
  const log: string[] = [];
  class Failing extends BaseRequestHandler<Socket<number>> {
    override handle(): void {
      log.push('handle');
      throw error;
    }
    override finish(): void {
      log.push('finish');
    }
  }
  class Logging extends TCPServer {
    override handleError(reported: unknown, request: Socket<number>, address: Address | null) {
      assert.equal(reported, error);
      assert.equal(request.closed, false);
      assert.equal((address as InetAddress).host, '127.0.0.1');
      log.push('handleError');
    }
    override async shutdownRequest(request: Socket<number>) {
      log.push('shutdownRequest');
      await super.shutdownRequest(request);
    }
  }
  await using server = new Logging(HERE, Failing);
  (await createConnection(server.serverAddress)).close();
  await server.handleRequest();
  return log;
}

test('handleError() gets what handle() throws; finish() and shutdownRequest() follow', async () => {
  const expected = ['handle', 'finish', 'handleError', 'shutdownRequest'];
  assert.deepEqual(await failingRequest(new RangeError('test')), expected);
  assert.deepEqual(await failingRequest('no error object'), expected);
});

test('handleRequest() rejects with what handleError() throws, and the request is closed', async () => {
  class Failing extends BaseRequestHandler<Socket<number>> {
    override handle(): never {
      throw new Error('from the handler');
    }
  }
  class Throwing extends TCPServer {
    override handleError(error: unknown): never {
      throw error;
    }
  }
  await using server = new Throwing(HERE, Failing);
  using client = await createConnection(server.serverAddress);
  await assert.rejects(server.handleRequest(), { message: 'from the handler' });
  assert.equal((await client.recv(1)).length, 0);
  (await createConnection(server.serverAddress)).close();
  await assert.rejects(server.serveForever(), { message: 'from the handler' });
});

test('wfile.write() sends at once and whole, and wfile has the descriptor of the request', async () => {
  const BIG = 16 * 1024 * 1024;
  const seen: unknown[] = [];
  class Writing extends StreamRequestHandler {
    override async handle() {
      assert.equal(this.wfile.fileno(), this.request.fileno());
      seen.push(await this.wfile.write(Buffer.from('written\n')));
      seen.push(String(await this.rfile.readline()));
      seen.push(await this.wfile.write(Buffer.alloc(BIG)));
    }
  }
  await using server = new TCPServer(HERE, Writing);
  const handled = server.handleRequest();
  using client = await createConnection(server.serverAddress);
  assert.equal(await receiveLine(client), 'written\n');
  await client.sendall(Buffer.from('answer\n'));
  let received = 0;
  for await (const chunk of client) received += (chunk as Buffer).length;
  await handled;
  assert.deepEqual(seen, [8, 'answer\n', BIG]);
  assert.equal(received, BIG);
});

test('shutdownRequest() is called when verifyRequest() is false', async () => {
  let shutdowns = 0;
  class Refusing extends TCPServer {
    override verifyRequest(): boolean {
      return false;
    }
    override async shutdownRequest(request: Socket<number>) {
      shutdowns++;
      await super.shutdownRequest(request);
    }
  }
  await using server = new Refusing(HERE, EchoLineHandler);
  (await createConnection(server.serverAddress)).close();
  await server.handleRequest();
  assert.equal(shutdowns, 1);
});

test('a server keeps nothing of requests that are done', async () => {
  await using server = new ThreadingTCPServer(HERE, LINES, { threads: 1 });
  for (let i = 0; i < 10; i++) {
    using client = await createConnection(server.serverAddress);
    await server.handleRequest();
    await client.sendall(Buffer.from('x\n'));
    assert.equal(await receiveLine(client), 'x\n');
    // The end of the stream comes before the report, in another thread.
    assert.equal((await client.recv(1)).length, 0);
  }
  assert.ok(server.connections < 10);
});

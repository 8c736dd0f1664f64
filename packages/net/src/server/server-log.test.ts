import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { pino } from 'pino';
import type { InetAddress } from '../address/index.ts';
import { createConnection, type Socket } from '../socket/index.ts';
import { until } from '../testing/index.ts';
import EchoDatagramHandler from './echo-datagram-handler.test.support.ts';
import EchoLineHandler from './echo-line-handler.test.support.ts';
import { exchangeDatagram, exchangeStream } from './exchange.test.support.ts';
import type { Connection } from './connection.ts';
import { serve } from './serve.ts';
import type { ServerLogger } from './server-log.ts';
import { TCPServer } from './tcp-server.ts';
import { UDPServer } from './udp-server.ts';

const HERE: InetAddress = { host: '127.0.0.1', port: 0 };

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A pino logger and what it wrote, parsed. */
function logged(): { logger: ServerLogger; lines: Line[] } {
  const lines: Line[] = [];
  const write = (text: string): number => lines.push(JSON.parse(text) as Line);
  return { logger: pino({ level: 'debug' }, { write }), lines };
}

const told = (lines: Line[]): string[] => lines.map(({ level, msg }) => `${level} ${msg}`);

async function exchange(address: InetAddress, text: string): Promise<InetAddress> {
  const client = await createConnection(address);
  const own = client.getsockname();
  await client.sendall(Buffer.from(text));
  while ((await client.recv(100)).length > 0);
  client.close();
  return own;
}

test("serve() logs a server's life to pino, and no failure is a process warning then", async () => {
  const { logger, lines } = logged();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const server = await serve(
    HERE,
    async (connection) => {
      const text = String(await connection.recv());
      if (text === 'bad') throw new RangeError('my fault\n\u001b[31m');
      await connection.sendall(Buffer.from('12345'));
    },
    { logger },
  );
  const first = await exchange(server.address, 'abc');
  await until(() => server.counters.closed === 1, 'the first is done');
  await exchange(server.address, 'bad');
  await until(() => server.counters.closed === 2, 'the second is done');
  await server.drain();
  process.off('warning', onWarning);
  assert.deepEqual(told(lines), [
    '30 listening',
    '20 connection open',
    '30 connection closed',
    '20 connection open',
    '50 handler failed',
    '30 connection closed',
    '30 draining',
    '30 closed',
  ]);
  assert.deepEqual(lines[0]?.['local'], server.address);
  const { remote, durationMs, receivedBytes, sentBytes } = lines[2] as Line;
  assert.deepEqual([remote, receivedBytes, sentBytes], [first, 3, 5]);
  assert.ok(typeof durationMs === 'number' && durationMs > 0);
  const { type, message, stack } = (lines[4] as Line)['err'] as Record<string, string>;
  assert.deepEqual([type, message], ['RangeError', 'my fault\n\u001b[31m']);
  assert.match(stack as string, /server-log\.test/);
  assert.deepEqual(warnings, []);
});

test('serve() logs who was refused and whom a deadline ended', async () => {
  const { logger, lines } = logged();
  await using refusing = await serve(HERE, () => undefined, { logger, deny: ['127.0.0.0/8'] });
  await exchange(refusing.address, '');
  await until(() => lines.length === 2, 'the refusal');
  assert.deepEqual(told(lines), ['30 listening', '40 connection refused']);
  assert.equal(lines[1]?.['reason'], 'denied');
  lines.length = 0;
  const read = async (connection: { recv(): Promise<Buffer> }): Promise<void> =>
    void (await connection.recv());
  await using impatient = await serve(HERE, read, { logger, firstByteTimeoutMs: 20 });
  await exchange(impatient.address, '');
  await until(() => lines.length === 4, 'the end');
  assert.deepEqual(told(lines).slice(2), ['30 connection lost', '30 connection closed']);
  assert.match(((lines[2] as Line)['err'] as Error).message, /first byte deadline of 20 ms/);
});

test('TCPServer and UDPServer log as serve() does, a datagram at level debug', async () => {
  for (const isStream of [true, false]) {
    const { logger, lines } = logged();
    class Failing extends EchoLineHandler {
      override async handle(): Promise<void> {
        await super.handle();
        throw new TypeError('afterwards');
      }
    }
    const server = isStream
      ? new TCPServer(HERE, Failing, { logger })
      : new UDPServer(HERE, EchoDatagramHandler, { logger });
    const serving = server.serveForever();
    const ask = isStream ? exchangeStream : exchangeDatagram;
    await ask(server.addressFamily, server.serverAddress);
    await until(() => server.connections === 0, 'the request is done');
    await server.serverClose();
    await serving;
    assert.deepEqual(told(lines), [
      '30 listening',
      '20 connection open',
      ...(isStream ? ['50 handler failed', '30 connection closed'] : ['20 request done']),
      '30 draining',
      '30 closed',
    ]);
  }
});

test('the diagnostics channels tell of the classes of socketserver as of serve()', async () => {
  const heard: string[] = [];
  const listeners = ['open', 'end'].map((name) => {
    const listener = (message: unknown): void => {
      const { server, request } = message as { server: unknown; request: Socket<number> };
      assert.equal(server, tcp);
      heard.push(`${name} ${request.closed ? 'closed' : 'open'}`);
    };
    subscribe(`sockeye:connection:${name}`, listener);
    return [`sockeye:connection:${name}`, listener] as const;
  });
  await using tcp = new TCPServer(HERE, EchoLineHandler);
  const serving = tcp.serveForever();
  await exchangeStream(tcp.addressFamily, tcp.serverAddress);
  await until(() => tcp.connections === 0, 'the request is done');
  for (const [name, listener] of listeners) unsubscribe(name, listener);
  assert.deepEqual(heard, ['open open', 'end closed']);
  await tcp.shutdown();
  await serving;
});

test('the diagnostics channels tell of connections and refusals of serve()', async () => {
  const heard: unknown[] = [];
  const listen = (message: unknown, name: string | symbol): void => {
    const { server, connection, reason, address } = message as Record<string, unknown>;
    const peer = (address ?? (connection as Connection).remote) as InetAddress;
    heard.push([String(name), server, reason, peer.host]);
  };
  const names = ['open', 'end', 'refuse'].map((name) => `sockeye:connection:${name}`);
  for (const name of names) subscribe(name, listen);
  await using open = await serve(HERE, () => undefined);
  await exchange(open.address, '');
  await open.drain();
  await using closed = await serve(HERE, () => undefined, { deny: ['127.0.0.1'] });
  await exchange(closed.address, '');
  await closed.drain();
  for (const name of names) unsubscribe(name, listen);
  assert.deepEqual(heard, [
    [names[0], open, undefined, '127.0.0.1'],
    [names[1], open, undefined, '127.0.0.1'],
    [names[2], closed, 'denied', '127.0.0.1'],
  ]);
});

test('a server refuses what is no logger, and options that it does not know', async () => {
  for (const logger of [null, 'pino', {}, { info: () => undefined }] as never[]) {
    await assert.rejects(
      serve(HERE, () => undefined, { logger }),
      /Cannot use logger: expected/,
    );
    assert.throws(() => new TCPServer(HERE, EchoLineHandler, { logger }), /Cannot use logger/);
  }
  const options = { maxConections: 1 } as never;
  assert.throws(() => new TCPServer(HERE, EchoLineHandler, options), /maxConections/);
});

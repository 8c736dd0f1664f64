// What can't travel to another thread or process is said, and nothing hangs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { AF_UNIX, SOCK_DGRAM } from '../../constants/index.ts';
import { Socket } from '../../socket/index.ts';
import { rejection, TemporaryDirectory, until } from '../../testing/index.ts';
import { exchangeDatagram } from '../exchange.test.support.ts';
import { ForkingTCPServer } from '../forking-tcp-server.ts';
import { ForkingUnixDatagramServer } from '../forking-unix-datagram-server.ts';
import { ThreadingTCPServer } from '../threading-tcp-server.ts';

const DATAGRAMS = new URL('../echo-datagram-handler.test.support.js', import.meta.url);
const HERE = { host: '127.0.0.1', port: 0 };

test('a datagram too long for a process is reported, and the next is answered', async () => {
  using directory = new TemporaryDirectory();
  const errors: unknown[] = [];
  class Large extends ForkingUnixDatagramServer {
    static override maxPacketSize = 200_000;
    override handleError(error: unknown): void {
      errors.push(error);
    }
  }
  const path = directory.file('socket');
  await using server = new Large({ path }, DATAGRAMS, { processes: 1 });
  const serving = server.serveForever();
  using client = new Socket<number>(AF_UNIX, SOCK_DGRAM);
  client.bind({ path: '' });
  await client.sendto(Buffer.alloc(100_000), { path });
  await until(() => errors.length === 1, 'the report');
  assert.match(
    String(errors[0]),
    /^RangeError: Cannot send to process \d+: datagram of 100000 bytes/,
  );
  await exchangeDatagram(AF_UNIX, server.serverAddress);
  await server.shutdown();
  await serving;
});

test('serveForever() rejects when handlerData cannot be cloned', async () => {
  const handlerData = (): void => undefined;
  for (const Server of [ThreadingTCPServer, ForkingTCPServer]) {
    await using server = new Server(HERE, DATAGRAMS, { handlerData });
    assert.match((await rejection(server.serveForever())).message, /could not be cloned/);
  }
});

test('threads, processes and handlerModule are checked before anything is opened', () => {
  const bad: [() => unknown, string][] = [
    [() => new ThreadingTCPServer(HERE, DATAGRAMS, { threads: 0 }), 'ERR_OUT_OF_RANGE'],
    [() => new ThreadingTCPServer(HERE, DATAGRAMS, { threads: 1.5 }), 'ERR_INVALID_ARG_TYPE'],
    [() => new ForkingTCPServer(HERE, DATAGRAMS, { processes: -1 }), 'ERR_OUT_OF_RANGE'],
    [() => new ForkingTCPServer(HERE, 5 as never), 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [make, code] of bad) assert.throws(make, { code });
});

test('serverClose() ends workers whose module never finishes loading', async () => {
  using directory = new TemporaryDirectory();
  const module = directory.file('endless.mjs');
  writeFileSync(module, 'setInterval(() => {}, 1000); await new Promise(() => {});');
  for (const Server of [ThreadingTCPServer, ForkingTCPServer]) {
    const server = new Server(HERE, module);
    const serving = server.serveForever();
    await server.serverClose();
    await serving;
  }
});

// Handlers in threads and in processes: the same demands on both.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Address, InetAddress } from '../../address/index.ts';
import { createConnection, type Socket } from '../../socket/index.ts';
import { countDescriptors, rejection, TemporaryDirectory, until } from '../../testing/index.ts';
import { ForkingTCPServer } from '../forking-tcp-server.ts';
import { receiveLine } from '../receive-line.test.support.ts';
import type { SocketServerOptions } from '../socket-server-options.ts';
import { ThreadingTCPServer } from '../threading-tcp-server.ts';
import { HandlerError } from './handler-error.ts';

const HERE: InetAddress = { host: '127.0.0.1', port: 0 };
const COMMANDS = new URL('../commands-handler.test.support.js', import.meta.url);

interface Failure {
  readonly error: unknown;
  readonly address: Address | null;
}

class Threads extends ThreadingTCPServer {
  readonly failures: Failure[] = [];
  override handleError(error: unknown, _request: Socket<number>, address: Address | null): void {
    this.failures.push({ error, address });
  }
}

class Processes extends ForkingTCPServer {
  readonly failures: Failure[] = [];
  override handleError(error: unknown, _request: Socket<number>, address: Address | null): void {
    this.failures.push({ error, address });
  }
}

type Make = (
  module: URL | string,
  workers: number,
  options?: SocketServerOptions,
) => Threads | Processes;

const kinds: [string, Make][] = [
  ['thread', (module, threads, options) => new Threads(HERE, module, { ...options, threads })],
  [
    'process',
    (module, processes, options) => new Processes(HERE, module, { ...options, processes }),
  ],
];

/** A server that serves; leaving the scope closes it. */
async function serving(server: Threads | Processes): Promise<AsyncDisposable> {
  const served = server.serveForever();
  return {
    async [Symbol.asyncDispose]() {
      await server.serverClose();
      await served;
    },
  };
}

class Client implements Disposable {
  readonly socket: Socket<number>;

  constructor(socket: Socket<number>) {
    this.socket = socket;
  }

  static async connect(server: Threads | Processes): Promise<Client> {
    return new Client(await createConnection(server.serverAddress));
  }

  async ask(command: string): Promise<string> {
    await this.socket.sendall(Buffer.from(`${command}\n`));
    return (await receiveLine(this.socket)).trimEnd();
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

for (const [kind, make] of kinds) {
  test(`connections are shared out over 3 workers: ${kind}`, async () => {
    await using server = make(COMMANDS, 3);
    await using _ = await serving(server);
    const clients: Client[] = [];
    for (let i = 0; i < 12; i++) {
      const client = await Client.connect(server);
      await client.ask('where');
      clients.push(client);
    }
    const counts = new Map<string, number>();
    for (const client of clients) {
      const where = await client.ask('where');
      counts.set(where, (counts.get(where) ?? 0) + 1);
      client.socket.close();
    }
    // Four each, unless a slow machine had one recalled.
    assert.equal(counts.size, 3);
    assert.ok(Math.min(...counts.values()) >= 2);
    assert.equal(counts.has(`${process.pid}/0`), false);
  });

  test(`a handler that computes doesn't stall clients that come meanwhile: ${kind}`, async () => {
    using directory = new TemporaryDirectory();
    const file = directory.file('while-it-exists');
    writeFileSync(file, '');
    await using server = make(COMMANDS, 2);
    await using _ = await serving(server);
    using computing = await Client.connect(server);
    const where = await computing.ask('where');
    assert.equal(await computing.ask(`compute ${file}`), 'computing');
    for (let i = 0; i < 20; i++) {
      using client = await Client.connect(server);
      assert.notEqual(await client.ask('where'), where);
    }
    rmSync(file);
    assert.equal(await receiveLine(computing.socket), 'computed\n');
  });

  test(`a connection that was sent to a worker that computes is recalled: ${kind}`, async () => {
    using directory = new TemporaryDirectory();
    const file = directory.file('while-it-exists');
    writeFileSync(file, '');
    await using server = make(COMMANDS, 2);
    await using _ = await serving(server);
    const clients = new Map<string, Client[]>();
    for (let i = 0; i < 4; i++) {
      const client = await Client.connect(server);
      const where = await client.ask('where');
      clients.set(where, [...(clients.get(where) ?? []), client]);
    }
    // All but one go of the worker that will compute: it looks less busy, then.
    const [[where, [computing, ...others]]] = [...clients] as [[string, [Client, ...Client[]]]];
    for (const other of others) other.socket.close();
    await until(() => server.connections === 4 - others.length, 'they are gone');
    assert.equal(await computing.ask(`compute ${file}`), 'computing');
    using late = await Client.connect(server);
    assert.notEqual(await late.ask('where'), where);
    rmSync(file);
    assert.equal(await receiveLine(computing.socket), 'computed\n');
    for (const client of [...clients.values()].flat()) client.socket.close();
  });

  test(`handleError() gets what a handler throws as a HandlerError: ${kind}`, async () => {
    await using server = make(COMMANDS, 1);
    await using _ = await serving(server);
    using other = await Client.connect(server);
    await other.ask('where');
    using client = await Client.connect(server);
    assert.equal(await client.ask('throw'), '');
    await until(() => server.failures.length === 1, 'the report');
    const [{ error, address }] = server.failures as [Failure];
    assert.deepEqual((address as InetAddress).host, '127.0.0.1');
    assert.ok(error instanceof HandlerError);
    assert.equal(error.name, 'TypeError');
    assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
    assert.match(error.message, /^Cannot use argument: /);
    assert.match(error.stack ?? '', /commands-handler/);
    assert.match(await other.ask('where'), /\d/);
  });

  test(`a worker that dies is replaced, its connections are reported, others live: ${kind}`, async () => {
    await using server = make(COMMANDS, 2);
    await using _ = await serving(server);
    const clients = await Promise.all([1, 2, 3, 4].map(() => Client.connect(server)));
    const places = await Promise.all(clients.map((client) => client.ask('where')));
    const doomed = places[0];
    const [first] = clients as [Client];
    await first.socket.sendall(Buffer.from('die\n'));
    const lost = places.filter((place) => place === doomed).length;
    await until(() => server.failures.length === lost, 'the reports');
    for (const { error } of server.failures)
      assert.match(
        (error as Error).message,
        /^Cannot finish the request: \w+ \d+ ended with code 7$/,
      );
    for (const [i, client] of clients.entries()) {
      if (places[i] !== doomed) assert.equal(await client.ask('where'), places[i]);
      client.socket.close();
    }
    const seen = new Set<string>();
    while (seen.size < 2) {
      using one = await Client.connect(server);
      using two = await Client.connect(server);
      for (const where of await Promise.all([one.ask('where'), two.ask('where')])) seen.add(where);
      assert.equal(seen.has(doomed as string), false);
    }
  });

  test(`serverClose() ends a handler that hangs after drainTimeoutMs: ${kind}`, async () => {
    const before = countDescriptors('socket:');
    {
      const server = make(COMMANDS, 1, { drainTimeoutMs: 50 });
      const served = server.serveForever();
      using client = await Client.connect(server);
      await client.ask('where');
      await client.socket.sendall(Buffer.from('hang\n'));
      await server.serverClose();
      await served;
      assert.equal(await receiveLine(client.socket).catch(() => ''), '');
      assert.deepEqual(server.failures, []);
    }
    await until(() => countDescriptors('socket:') === before, 'descriptors are closed');
  });

  test(`a deadline ends a connection where its handler runs: ${kind}`, async () => {
    await using server = make(COMMANDS, 1, { idleTimeoutMs: 40 });
    await using _ = await serving(server);
    using client = await Client.connect(server);
    await client.ask('where');
    assert.equal((await client.socket.recv(1)).length, 0);
    await until(() => server.failures.length === 1, 'the report');
    const [{ error }] = server.failures as [Failure];
    assert.equal((error as Error).name, 'ConnectionTimeoutError');
  });

  test(`a handler finds handlerData, serverAddress and clientAddress: ${kind}`, async () => {
    await using server = make(COMMANDS, 1, { handlerData: { limit: Number.POSITIVE_INFINITY } });
    await using _ = await serving(server);
    using client = await Client.connect(server);
    assert.equal(await client.ask('data'), JSON.stringify([{ limit: null }, server.serverAddress]));
    assert.equal(await client.ask('client'), JSON.stringify(client.socket.getsockname()));
  });

  test(`serveForever() rejects when the module can't be loaded: ${kind}`, async () => {
    using directory = new TemporaryDirectory();
    const modules: [string, string | undefined, RegExp][] = [
      ['missing.mjs', undefined, /^Cannot load handlers from file:.*missing\.mjs: Cannot find/],
      ['none.mjs', 'export const a = 1;', /the module's default export is no class$/],
      ['broken.mjs', 'throw new Error("no luck");', /: no luck$/],
      ['typed.mts', 'export default class A { a!: number }', /does not load TypeScript|no class/],
      ['gone.mjs', 'process.exit(3);', /ended with code 3$/],
    ];
    for (const [name, text, expected] of modules) {
      const path = directory.file(name);
      if (text !== undefined) writeFileSync(path, text);
      await using server = make(path, 2);
      if (
        name === 'typed.mts' &&
        'typescript' in process.features &&
        process.features['typescript']
      )
        continue;
      assert.match((await rejection(server.serveForever())).message, expected);
    }
  });

  test(`500 connections through a pool leave no descriptor: ${kind}`, async () => {
    const before = countDescriptors('socket:');
    {
      await using server = make(COMMANDS, 2);
      await using _ = await serving(server);
      for (let i = 0; i < 50; i++) {
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            using client = await Client.connect(server);
            assert.match(await client.ask('where'), /\d/);
          }),
        );
      }
    }
    await until(() => countDescriptors('socket:') === before, 'descriptors are closed');
  });
}

test('threads that die again and again lose no connection that they had not begun with', async () => {
  const before = countDescriptors('socket:');
  {
    using directory = new TemporaryDirectory();
    const file = directory.file('while-it-exists');
    await using server = new Threads(HERE, COMMANDS, { threads: 1 });
    await using _ = await serving(server);
    for (let round = 0; round < 5; round++) {
      writeFileSync(file, '');
      using victim = await Client.connect(server);
      const where = await victim.ask('where');
      await victim.socket.sendall(Buffer.from(`compute ${file}\ndie\n`));
      assert.equal(await receiveLine(victim.socket), 'computing\n');
      // These come while the thread computes, and are served by its successor.
      const late = await Promise.all([1, 2, 3].map(() => Client.connect(server)));
      await until(() => server.connections === 4, 'they are taken');
      const answers = Promise.all(late.map((client) => client.ask('where')));
      rmSync(file);
      assert.deepEqual(new Set(await answers).size, 1);
      assert.equal((await answers).includes(where), false);
      for (const client of late) client.socket.close();
      await until(() => server.connections === 0, 'all are done');
    }
    assert.equal(server.failures.length, 5);
  }
  await until(() => countDescriptors('socket:') === before, 'descriptors are closed');
});

test('a process that has nothing left but idle workers of a shut-down server ends', async () => {
  const { spawn } = await import('node:child_process');
  const index = new URL('../threading-tcp-server.js', import.meta.url).href;
  const program = `
    import { ThreadingTCPServer } from ${JSON.stringify(index)};
    const server = new ThreadingTCPServer({ host: '127.0.0.1', port: 0 }, ${JSON.stringify(COMMANDS.href)});
    const serving = server.serveForever();
    setTimeout(() => server.shutdown(), 200);
    await serving;
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: 'inherit',
  });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

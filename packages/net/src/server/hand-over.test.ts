import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { InetAddress, UnixAddress } from '../address/index.ts';
import { AF_INET, AF_UNIX, SOCK_STREAM } from '../constants/index.ts';
import { createConnection, createServer, Socket } from '../socket/index.ts';
import { countDescriptors, rejection, TemporaryDirectory, until } from '../testing/index.ts';
import EchoLineHandler from './echo-line-handler.test.support.ts';
import { exchangeStream } from './exchange.test.support.ts';
import { handOver, takeOver } from './hand-over.ts';
import { receiveLine } from './receive-line.test.support.ts';
import { TCPServer } from './tcp-server.ts';

const ENTRY = fileURLToPath(new URL('./hand-over-server.test.support.js', import.meta.url));
const HERE: InetAddress = { host: '127.0.0.1', port: 0 };
type Started = { addresses: (InetAddress | UnixAddress)[]; tookOver: boolean };

async function start(...args: string[]): Promise<[ChildProcess, Started]> {
  const child = fork(ENTRY, args);
  const [message] = (await once(child, 'message')) as [Started];
  return [child, message];
}

/** Clients that connect, ask and read the answer, over and over; the answers by process id. */
class Load {
  readonly answers = new Map<number, number>();
  readonly failures: unknown[] = [];
  #stopped = false;
  #loops: Promise<void>[];

  constructor(addresses: Started['addresses'], clients: number) {
    this.#loops = Array.from({ length: clients }, (_, i) =>
      this.#loop(addresses[i % addresses.length] as InetAddress | UnixAddress),
    );
  }

  async #loop(address: InetAddress | UnixAddress): Promise<void> {
    while (!this.#stopped) {
      try {
        const pid = await ask(address);
        this.answers.set(pid, (this.answers.get(pid) ?? 0) + 1);
      } catch (error) {
        this.failures.push(error);
      }
    }
  }

  stop(): Promise<unknown> {
    this.#stopped = true;
    return Promise.all(this.#loops);
  }
}

async function ask(address: InetAddress | UnixAddress): Promise<number> {
  const family = 'path' in address ? AF_UNIX : AF_INET;
  using socket = new Socket<number>(family, SOCK_STREAM);
  await socket.connect(address);
  await socket.sendall(Buffer.from('who?\n'));
  const answer = await receiveLine(socket);
  assert.match(answer, /^\d+\n$/);
  return Number(answer);
}

test('takeOver() under load: a successor, and one more, with no request refused or lost', async () => {
  using directory = new TemporaryDirectory();
  const args = [directory.file('control'), directory.file('unix')];
  const [first, started] = await start(...args);
  const load = new Load(started.addresses, 9);
  let current = first;
  for (let generation = 0; generation < 2; generation++) {
    const { pid = 0 } = current;
    await until(() => (load.answers.get(pid) ?? 0) > 300, 'answers of the predecessor', 20_000);
    const exited = once(current, 'exit');
    const [next, message] = await start(...args);
    assert.deepEqual(message, { addresses: started.addresses, tookOver: true });
    assert.deepEqual(await exited, [0, null]);
    current = next;
  }
  const { pid = 0 } = current;
  await until(() => (load.answers.get(pid) ?? 0) > 300, 'answers of the last', 20_000);
  await load.stop();
  const gone = once(current, 'close');
  current.kill('SIGKILL');
  await gone;
  assert.deepEqual(load.failures, []);
  assert.equal(load.answers.size, 3);
});

test('handOver() makes its socket with mode 0600, replaces a stale one, and removes it', () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('control');
  using listener = createServer({ path });
  listener.close();
  const server = new TCPServer(HERE, EchoLineHandler);
  const offer = handOver([server], path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => handOver([server], path), { code: 'EADDRINUSE' });
  offer.close();
  offer.close();
  assert.equal(existsSync(path), false);
  server.socket.close();
});

test('handOver() replaces nothing that is no socket', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('control');
  writeFileSync(path, 'precious');
  await using server = new TCPServer(HERE, EchoLineHandler);
  const before = countDescriptors('socket:');
  assert.throws(() => handOver([server], path), { code: 'EADDRINUSE' });
  assert.equal(statSync(path).size, 8);
  assert.equal(countDescriptors('socket:'), before);
});

test('takeOver() gives undefined where nobody offers', async () => {
  using directory = new TemporaryDirectory();
  assert.equal(await takeOver(directory.file('control')), undefined);
});

test('a successor that leaves without confirm() changes nothing', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('control');
  await using server = new TCPServer(HERE, EchoLineHandler);
  const serving = server.serveForever();
  const before = countDescriptors('socket:');
  using offer = handOver([server], path);
  {
    using taken = await takeOver(path);
    assert.deepEqual(taken?.listeners[0]?.getsockname(), server.serverAddress);
  }
  await exchangeStream(server.addressFamily, server.serverAddress);
  offer.close();
  await until(() => countDescriptors('socket:') === before, 'descriptors are closed');
  await server.shutdown();
  await serving;
});

test('confirm() has the predecessor drain: what it handles it finishes', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('control');
  const old = new TCPServer(HERE, EchoLineHandler);
  const serving = old.serveForever();
  using early = await createConnection(old.serverAddress);
  await until(() => old.connections === 1, 'the connection is taken');
  const { done } = handOver([old], path);
  using taken = await takeOver(path);
  await using successor = new TCPServer(taken?.listeners[0] as Socket<number>, EchoLineHandler);
  const succeeding = successor.serveForever();
  await taken?.confirm();
  assert.match((await rejection(taken?.confirm() as Promise<void>)).message, /^Cannot confirm: /);
  assert.equal(existsSync(path), false);
  await serving;
  await exchangeStream(successor.addressFamily, successor.serverAddress);
  await early.sendall(Buffer.from('late\n'));
  assert.equal(await receiveLine(early), 'late\n');
  await done;
  await successor.shutdown();
  await succeeding;
});

test('takeOver() refuses what is no predecessor', async () => {
  using directory = new TemporaryDirectory();
  const path = directory.file('control');
  using impostor = new Socket<number>(AF_UNIX, 5);
  impostor.bind({ path });
  impostor.listen();
  const taking = rejection(takeOver(path));
  const [peer] = await impostor.accept();
  await peer.send(Buffer.from('{"version":2,"kind":"listeners"}'));
  const { code, message } = await taking;
  assert.equal(code, 'ERR_INVALID_STATE');
  assert.match(message, /^Cannot hand over: expected 'listeners' of version 1, got /);
  peer.close();
});

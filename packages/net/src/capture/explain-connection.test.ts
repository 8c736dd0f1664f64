import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, createServer, type Socket } from '../socket/index.ts';
import { needs } from '../testing/index.ts';
import { explainConnection, type Limit, type TcpSample } from './explain-connection.ts';

const linux = await needs('linux');
const WATCHED_MS = 600;
const SAMPLE_MS = 10;
const MUCH = Buffer.alloc(256 * 1024, 'x');

type Tcp = Socket;
interface Pair {
  readonly client: Tcp;
  readonly server: Tcp;
}

/** A connection whose client is explained; `prepare` changes the listener before the handshake. */
async function pair(t: TestContext, prepare?: (listener: Tcp) => void): Promise<Pair> {
  const listener = createServer({ host: '127.0.0.1', port: 0 }) as Tcp;
  prepare?.(listener);
  const client = (await createConnection(listener.getsockname())) as Tcp;
  const [server] = await listener.accept();
  listener.close();
  t.after(() => {
    client.close();
    server.close();
  });
  return { client, server };
}

/** What a program goes on doing until its socket is closed. */
function keep(action: () => Promise<unknown>): void {
  const go = async (): Promise<void> => {
    for (;;) await action();
  };
  // It ends with EBADF, when the test closes the socket.
  go().catch(() => undefined);
}

/** Samples are taken by the clock: that is what is tested, nothing waits for them. */
async function watch(client: Tcp): Promise<TcpSample[]> {
  const samples: TcpSample[] = [];
  const end = performance.now() + WATCHED_MS;
  while (performance.now() < end) {
    const { options } = client;
    const [info, memory] = [options.get('TCP_INFO'), options.get('SO_MEMINFO')];
    samples.push({ atMs: performance.now(), info, memory });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

async function explains(client: Tcp, limit: Limit, sentence: RegExp): Promise<void> {
  const found = explainConnection(await watch(client));
  assert.equal(found.limit, limit, JSON.stringify(found));
  assert.match(found.sentence, sentence);
}

/** Reads whatever comes. */
function drain(server: Tcp): void {
  keep(() => server.recv(1 << 20));
}

test('explainConnection() says nothing sent of a silent connection', linux, async (t) => {
  const { client } = await pair(t);
  await explains(client, 'nothing sent', /^This end sent no data in 0\.\d\d s/);
});

test('explainConnection() tells the end that receives where to ask', linux, async (t) => {
  const { client, server } = await pair(t);
  keep(() => server.sendall(MUCH));
  drain(client);
  await explains(client, 'nothing sent', /sent no data in 0\.\d\d s, \d+ bytes came in: /);
});

test("explainConnection() says receiver window of a reader that doesn't read", linux, async (t) => {
  const { client } = await pair(t);
  keep(() => client.sendall(MUCH));
  await explains(client, 'receiver window', /^The receiver's window limits it: \d+ % of/);
});

test('explainConnection() says receiver window of a reader that reads slowly', linux, async (t) => {
  const { client, server } = await pair(t, (listener) => {
    listener.options.set('SO_RCVBUF', 16 * 1024);
  });
  keep(() => client.sendall(MUCH));
  keep(async () => {
    await server.recv(4096);
    await sleep(5);
  });
  await explains(client, 'receiver window', /^The receiver's window limits it: [1-9]\d+ % of/);
});

test('explainConnection() says application of a slow writer', linux, async (t) => {
  const { client, server } = await pair(t);
  drain(server);
  keep(async () => {
    await client.sendall(MUCH.subarray(0, 2000));
    await sleep(50);
  });
  await explains(client, 'application', /^The application limits it: .* nothing more to send\.$/);
});

test('explainConnection() says application of one question after the other', linux, async (t) => {
  const { client, server } = await pair(t);
  keep(async () => server.sendall(await server.recv(100)));
  keep(async () => {
    await client.sendall(MUCH.subarray(0, 100));
    await client.recv(100);
  });
  await explains(client, 'application', /^The application limits it/);
});

test(
  'explainConnection() says send buffer of one that is too small for delayed ACKs',
  linux,
  async (t) => {
    const { client, server } = await pair(t);
    client.options.set('SO_SNDBUF', 4608);
    drain(server);
    keep(() => client.sendall(MUCH));
    await explains(client, 'send buffer', /^The send buffer limits it: in \d+ % of/);
  },
);

test('explainConnection() says Nagle with delayed ACK of write, write, read', linux, async (t) => {
  const { client, server } = await pair(t);
  client.options.set('TCP_NODELAY', false);
  let got = 0;
  keep(async () => {
    got += (await server.recv(100)).length;
    if (got % 20 === 0) await server.sendall(Buffer.from('answer'));
  });
  keep(async () => {
    client.sendallSync(Buffer.from('0123456789'));
    client.sendallSync(Buffer.from('0123456789'));
    await client.recv(6);
  });
  await explains(client, 'Nagle with delayed ACK', /^Nagle's algorithm .*TCP_NODELAY/);
});

test(
  'explainConnection() says application of write, write, read with TCP_NODELAY',
  linux,
  async (t) => {
    const { client, server } = await pair(t);
    client.options.set('TCP_NODELAY', true);
    drain(server);
    keep(async () => {
      client.sendallSync(Buffer.from('0123456789'));
      await sleep(30);
    });
    await explains(client, 'application', /^The application limits it/);
  },
);

test('explainConnection() says loss where segments get lost', linux, async (t) => {
  const { client, server } = await pair(t);
  dropTwoInHundred(server);
  drain(server);
  keep(() => client.sendall(MUCH));
  await explains(client, 'loss', /^Loss limits it: \d+ segments of \d+ were sent again in 0/);
});

test('explainConnection() says loss where nothing arrives', linux, async (t) => {
  const { client, server } = await pair(t);
  server.options.set('SO_ATTACH_FILTER', [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  await client.sendall(Buffer.from('into the void'));
  keep(() => client.sendall(MUCH));
  await explains(client, 'loss', /^Loss limits it: .* without an answer, the next time after \d+/);
});

test(
  'explainConnection() says pacing of a connection with SO_MAX_PACING_RATE',
  linux,
  async (t) => {
    const { client, server } = await pair(t);
    client.options.set('SO_MAX_PACING_RATE', 1_000_000);
    drain(server);
    keep(() => client.sendall(MUCH));
    await explains(client, 'pacing', /^Pacing limits it: SO_MAX_PACING_RATE allows 1\.000 MB\/s/);
  },
);

test('explainConnection() of one sample tells of the whole life', linux, async (t) => {
  const { client, server } = await pair(t);
  await client.sendall(Buffer.from('hello'));
  await server.recv(5);
  const info = client.options.get('TCP_INFO');
  const { figures, sentence } = explainConnection([{ atMs: 0, info }]);
  assert.equal(figures.bytesSent, 5);
  assert.match(sentence, /since it began/);
});

test('explainConnection() refuses to explain without a sample', () => {
  assert.throws(() => explainConnection([]), RangeError);
});

/** A socket filter sees TCP segments too, and what it refuses never came: loss without root. */
function dropTwoInHundred(server: Tcp): void {
  const RANDOM = 0xffff_f000 + 56; // SKF_AD_OFF + SKF_AD_RANDOM of linux/filter.h
  const limit = Math.floor(0.02 * 2 ** 32);
  server.options.set('SO_ATTACH_FILTER', [
    { code: 0x20, jt: 0, jf: 0, k: RANDOM },
    { code: 0x35, jt: 0, jf: 1, k: limit },
    { code: 0x06, jt: 0, jf: 0, k: 0xffff_ffff },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ]);
}

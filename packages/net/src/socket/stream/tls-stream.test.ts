import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  connect as connectTcp,
  createServer,
  type AddressInfo,
  type Socket as NetSocket,
} from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import {
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type ConnectionOptions,
  type TlsOptions,
  TLSSocket,
} from 'node:tls';
import { TlsAlertError, TlsTruncatedError } from '../../errors/index.ts';
import { needs, selfSigned, TemporaryDirectory } from '../../testing/index.ts';
import { createConnection } from '../create-connection.ts';
import { Socket } from '../socket.ts';
import { socketpair } from '../socketpair.ts';
import { TlsStream } from './tls-stream.ts';
import { TlsTransport } from './tls-transport.ts';

const openssl = await needs('openssl');
const directory = new TemporaryDirectory();
process.on('exit', () => directory[Symbol.dispose]());
const { key, cert } = openssl.skip
  ? { key: Buffer.alloc(0), cert: Buffer.alloc(0) }
  : selfSigned(directory, 'stream.test');

/** Our side as a client of whatever listens on a port of this machine. */
async function clientOf(port: number, options: ConnectionOptions = {}): Promise<TlsStream> {
  const socket = await createConnection({ host: '127.0.0.1', port });
  const transport = new TlsTransport(socket);
  const tls = connect({ socket: transport, rejectUnauthorized: false, ...options });
  const stream = new TlsStream(tls, transport);
  await once(tls, 'secureConnect');
  return stream;
}

interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly stream: Promise<TlsStream>;
}

/** Our side as the server of one client. */
function serverOf(options: TlsOptions = {}, recordsPerKey?: number): Listening {
  const listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen();
  const accept = async (): Promise<TlsStream> => {
    const [socket] = await listener.accept();
    const transport = new TlsTransport(socket, recordsPerKey);
    const context = { key, cert, ...options };
    const tls = new TLSSocket(transport, {
      isServer: true,
      secureContext: createSecureContext(context),
      requestCert: options.requestCert ?? false,
    });
    tls.on('keylog', (line) => transport.learn(line, tls, 'server'));
    return new Promise<TlsStream>((resolve) => {
      tls.once('secure', () => resolve(new TlsStream(tls, transport)));
    });
  };
  const { port } = listener.getsockname();
  return {
    port,
    stream: accept(),
    [Symbol.asyncDispose]: () => Promise.resolve(listener.close()),
  };
}

interface Pair extends AsyncDisposable {
  readonly ours: TlsStream;
  readonly theirs: TLSSocket;
}

/** Our client and node:tls as its server. */
async function withNodeServer(
  options: TlsOptions = {},
  client: ConnectionOptions = {},
): Promise<Pair> {
  const context = { key, cert, ...options };
  const server = createTlsServer(context);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'secureConnection');
  const ours = await clientOf((server.address() as AddressInfo).port, client);
  const [theirs] = (await accepted) as [TLSSocket];
  return pairOf(ours, theirs, () => server.close());
}

/** Our server and node:tls as its client. */
async function withNodeClient(
  options: TlsOptions = {},
  client: ConnectionOptions = {},
): Promise<Pair> {
  const listening = serverOf(options);
  const theirs = connect({
    port: listening.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...client,
  });
  const [ours] = await Promise.all([listening.stream, once(theirs, 'secureConnect')]);
  return pairOf(ours, theirs, () => void listening[Symbol.asyncDispose]());
}

function pairOf(ours: TlsStream, theirs: TLSSocket, close: () => void): Pair {
  theirs.on('error', () => undefined);
  return {
    ours,
    theirs,
    [Symbol.asyncDispose]: () => {
      ours.destroy();
      theirs.destroy();
      close();
      return Promise.resolve();
    },
  };
}

/** Whether records are opened here: where node:tls opens them it is listened to. */
function isHandedOver(stream: TlsStream): boolean {
  return stream.tls.listenerCount('data') === 0;
}

async function receiveAll(stream: TlsStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await stream.receive(); chunk !== undefined; chunk = await stream.receive()) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readAll(socket: TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const sides = [
  ['client', withNodeServer],
  ['server', withNodeClient],
] as const;

const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

for (const [side, pair] of sides) {
  for (const ciphers of suites) {
    test(`a ${side} opens and seals records of ${ciphers}`, openssl, async () => {
      await using both = await pair({ ciphers, minVersion: 'TLSv1.3' });
      assert.equal(both.ours.tls.getCipher().standardName, ciphers);
      assert.equal(isHandedOver(both.ours), true);
      const there = randomBytes(1_000_001);
      const back = randomBytes(1_500_003);
      const read = readAll(both.theirs);
      both.theirs.end(back);
      await Promise.all([both.ours.send(there), receiveAll(both.ours)]).then(([, got]) => {
        assert.equal(got.equals(back), true);
      });
      await both.ours.shutdown();
      assert.equal((await read).equals(there), true);
      assert.equal(both.ours.hasUnread, false);
      assert.equal(await both.ours.receive(), undefined);
      await assert.rejects(both.ours.send(there), { code: 'ERR_INVALID_STATE' });
    });
  }

  for (const [what, options] of [
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['a cipher that is not ours', { ciphers: 'TLS_AES_128_CCM_SHA256' }],
  ] as const) {
    test(`a ${side} leaves ${what} to node:tls`, openssl, async () => {
      await using both = await pair(options, options);
      assert.equal(isHandedOver(both.ours), false);
      const data = randomBytes(300_000);
      both.theirs.end(data);
      assert.equal((await receiveAll(both.ours)).equals(data), true);
      await both.ours.send(data.subarray(0, 5));
      const [first] = (await once(both.theirs, 'data')) as [Buffer];
      assert.equal(first.equals(data.subarray(0, 5)), true);
    });
  }

  test(`what a ${side} sends at once and in pieces stays in order`, openssl, async () => {
    await using both = await pair();
    const sizes = [1, 700_000, 16_384, 0, 16_385, 300_000, 3];
    const parts = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    const read = readAll(both.theirs);
    await Promise.all(parts.map((part) => both.ours.send(part)));
    await both.ours.shutdown();
    assert.equal((await read).equals(Buffer.concat(parts)), true);
  });

  test(`a ${side}'s TLSSocket may still be written to`, openssl, async () => {
    await using both = await pair();
    const read = readAll(both.theirs);
    await both.ours.send(Buffer.from('one '));
    await new Promise((resolve) => both.ours.tls.write('two ', resolve));
    await both.ours.send(Buffer.from('three'));
    await both.ours.shutdown();
    assert.equal((await read).toString(), 'one two three');
  });

  test(`a ${side} receives into memory that is smaller than a record`, openssl, async () => {
    await using both = await pair();
    const data = randomBytes(50_000);
    both.theirs.end(data);
    const buffer = Buffer.alloc(997);
    const parts: Buffer[] = [];
    for (;;) {
      const bytes = await both.ours.receiveInto(buffer);
      if (bytes === undefined) break;
      parts.push(Buffer.from(buffer.subarray(0, bytes)));
    }
    assert.equal(Buffer.concat(parts).equals(data), true);
  });

  test(
    `a ${side}'s receive that is aborted loses nothing, and others wait their turn`,
    openssl,
    async () => {
      await using both = await pair();
      const abort = new AbortController();
      const first = both.ours.receive(2, abort.signal);
      const second = both.ours.receive(2);
      const third = both.ours.receive(2, abort.signal);
      const aborted = [
        assert.rejects(first, { name: 'AbortError' }),
        assert.rejects(third, { name: 'AbortError' }),
      ];
      abort.abort();
      await Promise.all(aborted);
      both.theirs.write('abcd');
      assert.equal(String(await second), 'ab');
      assert.equal(String(await both.ours.receive()), 'cd');
    },
  );
}

/** A wire that passes on what `change` makes of each record of application data from the client. */
async function wire(
  port: number,
  change: (record: Buffer, number: number) => Buffer[],
): Promise<AddressInfo & AsyncDisposable> {
  const sockets: NetSocket[] = [];
  const server = createServer((client) => {
    const target = connectTcp(port, '127.0.0.1');
    sockets.push(client, target);
    for (const socket of [client, target]) socket.on('error', () => undefined);
    target.pipe(client);
    let rest: Buffer = Buffer.alloc(0);
    let number = 0;
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
        const record = Buffer.from(rest.subarray(0, 5 + rest.readUInt16BE(3)));
        rest = rest.subarray(record.length);
        const isData = record[0] === 23;
        for (const piece of isData ? change(record, number++) : [record]) target.write(piece);
      }
    });
    client.on('end', () => target.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    return Promise.resolve();
  };
  return { ...(server.address() as AddressInfo), [Symbol.asyncDispose]: close };
}

// Record 0 is the client's Finished.
const damages: readonly [string, (record: Buffer, number: number) => Buffer[], number][] = [
  ['a changed byte', (record, n) => (n === 2 ? [flipped(record, 9)] : [record]), 20],
  ['a changed tag', (record, n) => (n === 2 ? [flipped(record, record.length - 1)] : [record]), 20],
  ['a changed length', (record, n) => (n === 2 ? [shortened(record)] : [record]), 20],
  ['a record twice', (record, n) => (n === 1 ? [record, record] : [record]), 20],
  ['a record left out', (record, n) => (n === 2 ? [] : [record]), 20],
  ['a record in clear', (record, n) => (n === 2 ? [clear(record)] : [record]), 10],
  ['a record that is too long', (record, n) => (n === 2 ? [tooLong()] : [record]), 22],
];

function flipped(record: Buffer, at: number): Buffer {
  record[at] = (record[at] as number) ^ 1;
  return record;
}

function shortened(record: Buffer): Buffer {
  record.writeUInt16BE(record.length - 6, 3);
  return record.subarray(0, record.length - 1);
}

function clear(record: Buffer): Buffer {
  record[0] = 22;
  return record;
}

function tooLong(): Buffer {
  const record = Buffer.alloc(5 + 16_641, 23);
  record.set([23, 3, 3]);
  record.writeUInt16BE(16_641, 3);
  return record;
}

for (const [what, change, alert] of damages) {
  test(
    `${what} on the wire ends a connection after what came whole, and the peer is told`,
    openssl,
    async () => {
      await using listening = serverOf();
      await using between = await wire(listening.port, change);
      const theirs = connect({ port: between.port, host: '127.0.0.1', rejectUnauthorized: false });
      const [ours] = await Promise.all([listening.stream, once(theirs, 'secureConnect')]);
      const told = once(theirs, 'error');
      theirs.on('error', () => undefined);
      theirs.write('first');
      assert.equal(String(await ours.receive()), 'first');
      theirs.write('second');
      theirs.write('third');
      const failed = await assert.rejects(receiveAll(ours), (error) => {
        assert.ok(error instanceof TlsAlertError);
        assert.equal(error.alert, alert);
        return true;
      });
      assert.equal(failed, undefined);
      // For good: nothing behind it is taken, and nothing more is said.
      await assert.rejects(ours.receive(), TlsAlertError);
      await assert.rejects(ours.send(Buffer.from('too late')), TlsAlertError);
      const [error] = (await told) as [NodeJS.ErrnoException];
      assert.match(error.code ?? '', /ALERT/);
      ours.destroy();
      theirs.destroy();
    },
  );
}

test('a connection that is cut is no end', openssl, async () => {
  await using listening = serverOf();
  await using between = await wire(listening.port, (record) => [record]);
  const theirs = connect({ port: between.port, host: '127.0.0.1', rejectUnauthorized: false });
  const [ours] = await Promise.all([listening.stream, once(theirs, 'secureConnect')]);
  theirs.on('error', () => undefined);
  theirs.write('whole');
  assert.equal(String(await ours.receive()), 'whole');
  await between[Symbol.asyncDispose]();
  await assert.rejects(ours.receive(), (error: Error) => {
    return (
      error instanceof TlsTruncatedError || (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    );
  });
  ours.destroy();
  theirs.destroy();
});

test('a server that wants a certificate tells a client that has none', openssl, async () => {
  const options = { requestCert: true, ca: cert, minVersion: 'TLSv1.3' } as const;
  const server = createTlsServer({
    key,
    cert,
    ...options,
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ours = await clientOf((server.address() as AddressInfo).port);
  await assert.rejects(ours.receive(), (error: Error) => {
    return error instanceof TlsAlertError && error.alert === 116;
  });
  ours.destroy();
  server.close();
});

test('openssl s_client changes its keys, asks for ours, and goes on', openssl, async () => {
  await using listening = serverOf();
  const args = ['s_client', '-connect', `127.0.0.1:${listening.port}`, '-tls1_3'];
  const client = spawn('openssl', args);
  const ours = await listening.stream;
  const told = createInterface(client.stderr)[Symbol.asyncIterator]();
  const lines = createInterface(client.stdout)[Symbol.asyncIterator]();
  for (let round = 0; round < 3; round++) {
    client.stdin.write('K\n');
    await until(told, 'KEYUPDATE');
    client.stdin.write(`round ${round}\n`);
    assert.equal(String(await ours.receive()), `round ${round}\n`);
    await ours.send(Buffer.from(`answer ${round}\n`));
    await until(lines, `answer ${round}`);
  }
  await ours.shutdown();
  client.stdin.end();
  await once(client, 'close');
  ours.destroy();
});

test(
  'our keys change when one has sealed as much as it may, and openssl s_client goes along',
  openssl,
  async () => {
    await using listening = serverOf({}, 4);
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${listening.port}`,
      '-tls1_3',
      '-msg',
      '-quiet',
    ];
    const client = spawn('openssl', args);
    const ours = await listening.stream;
    const output: Buffer[] = [];
    client.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // 61 records, sealed one by one.
    const said = Buffer.from(randomBytes(61 * 8_192).toString('hex'));
    for (let at = 0; at < said.length; at += 16_384)
      await ours.send(said.subarray(at, at + 16_384));
    await ours.shutdown();
    await once(client, 'close');
    const text = Buffer.concat(output);
    // -msg tells of each message among what was said.
    assert.equal(text.toString('latin1').match(/KeyUpdate/g)?.length, 15);
    ours.destroy();
  },
);

async function until(lines: AsyncIterator<string>, wanted: string): Promise<void> {
  for (;;) {
    const { done, value } = await lines.next();
    if (value === wanted) return;
    assert.equal(done ?? false, false, `openssl ended before it said ${wanted}`);
  }
}

test('a signal that has aborted is told at once, whatever is waited for', openssl, async () => {
  const gone = AbortSignal.abort(new Error('gone'));
  const [client, silent] = socketpair();
  const transport = new TlsTransport(client);
  const handshaking = new TlsStream(connect({ socket: transport }), transport);
  await assert.rejects(handshaking.receive(1, gone), { message: 'gone' });
  handshaking.destroy();
  silent.close();
  await using both = await withNodeServer();
  const waiting = both.ours.receive();
  await assert.rejects(both.ours.receive(1, gone), { message: 'gone' });
  both.theirs.write('x');
  assert.equal(String(await waiting), 'x');
});

test('a receive that waits when its stream is destroyed gets the end', openssl, async () => {
  await using both = await withNodeServer();
  const waiting = both.ours.receive();
  both.ours.destroy();
  assert.equal(await waiting, undefined);
});

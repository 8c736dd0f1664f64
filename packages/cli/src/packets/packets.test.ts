import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  missing,
  type Running,
  run,
  serve,
  start,
  temporaryDirectory,
} from '../command.test.util.ts';

const needsRoot = process.getuid?.() === 0 ? false : 'not running as root';
const needsTshark = needsRoot || missing('tshark');

interface Line {
  readonly type: string;
  readonly layers?: { protocol: string; fields: { name: string; value: unknown }[] }[];
  readonly segments?: { flags: string; sequence: { absolute: number; relative: number } }[];
  readonly [name: string]: unknown;
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Captures a connection to a file with the command itself; gives the path and the capture's outcome. */
async function captured(t: TestContext, ...args: string[]) {
  const path = join(temporaryDirectory(t), 'trace.pcapng');
  const server = createServer((socket) => socket.end('hello\n'));
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const capture: Running = start(
    t,
    'capture',
    '-i',
    'lo',
    `tcp port ${port}`,
    '--write',
    path,
    '-c',
    '6',
    ...args,
  );
  await capture.until(({ stderr }) => stderr.includes('capturing on lo'));
  const client = connect(port, '127.0.0.1').resume();
  await once(client, 'close');
  return { path, port, outcome: await capture.exit() };
}

test('capture writes a file that is the owner’s alone and tells the drop counters', {
  skip: needsRoot,
}, async (t) => {
  const { path, outcome } = await captured(t);
  assert.equal(outcome.status, 0);
  assert.match(
    outcome.stderr,
    /6 packets captured, \d+ received by the filter, 0 dropped by the kernel/,
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('capture on SIGINT writes what it has and ends with 0', { skip: needsRoot }, async (t) => {
  const capture = start(t, 'capture', '-i', 'lo', 'udp port 1', '--json');
  await capture.until(({ stderr }) => stderr.includes('capturing on lo'));
  capture.child.kill('SIGINT');
  const { status, stdout } = await capture.exit();
  assert.equal(status, 0);
  assert.deepEqual(linesOf(stdout), [{ type: 'statistics', captured: 0, received: 0, dropped: 0 }]);
});

test('capture whose reader leaves ends in silence, with its counters and its file', {
  skip: needsRoot,
}, async (t) => {
  const path = join(temporaryDirectory(t), 'trace.pcapng');
  const sender = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => sender.close());
  await once(sender, 'listening');
  const { port } = sender.address();
  const capture = start(t, 'capture', '-i', 'lo', `udp port ${port}`, '--json', '--write', path);
  await capture.until(({ stderr }) => stderr.includes('capturing on lo'));
  capture.child.stdout?.destroy();
  const again = setInterval(() => sender.send('again', port, '127.0.0.1'), 5);
  const { status, stderr } = await capture.exit();
  clearInterval(again);
  assert.equal(status, 141);
  const [, ...rest] = stderr.split('\n');
  assert.match(
    rest.join('\n'),
    /^\d+ packets captured, \d+ received by the filter, 0 dropped[^\n]*\n$/,
  );
  assert.equal((await run(t, ['read', path, '-c', '1'])).status, 0);
});

test('read --json --conversations tells layers, handshake and conversation, as tshark has them', {
  skip: needsTshark,
}, async (t) => {
  const { path, port } = await captured(t);
  const { stdout, status } = await run(t, ['read', path, '--json', '--conversations']);
  assert.equal(status, 0);
  const lines = linesOf(stdout);
  const packets = lines.filter(({ type }) => type === 'packet');
  const names = [
    'ip.ttl',
    'tcp.srcport',
    'tcp.seq',
    'tcp.seq_raw',
    'tcp.ack_raw',
    'tcp.window_size_value',
  ];
  const ours = packets.map(({ layers = [] }) => {
    const fields = layers.flatMap((layer) => layer.fields);
    return names
      .map((name) => String(fields.find((field) => field.name === name)?.value))
      .join('\t');
  });
  const args = ['-r', path, '-T', 'fields', ...names.flatMap((name) => ['-e', name])];
  const theirs = spawnSync('tshark', args, { encoding: 'utf8' }).stdout.trim().split('\n');
  assert.deepEqual(ours, theirs);
  const handshake = lines.find(({ type }) => type === 'handshake');
  assert.deepEqual(
    handshake?.segments?.map(({ flags }) => flags),
    ['SYN', 'SYN+ACK', 'ACK'],
  );
  assert.deepEqual(
    handshake?.segments?.map(({ sequence }) => sequence.relative),
    [0, 0, 1],
  );
  assert.equal(typeof handshake?.['rtt'], 'number');
  const conversation = lines.find(({ type }) => type === 'conversation');
  assert.deepEqual(conversation?.['server'], { address: '127.0.0.1', port });
});

test('read --write keeps bytes and times of the packets that pass, --json beside it', {
  skip: needsTshark,
}, async (t) => {
  const { path } = await captured(t);
  const copy = `${path}.copy.pcapng`;
  const filter = 'tcp[tcpflags] & tcp-syn != 0';
  const { stdout, status } = await run(t, ['read', path, filter, '--json', '--write', copy]);
  assert.equal(status, 0);
  assert.equal(linesOf(stdout).length, 2);
  const show = (file: string, ...more: string[]): string =>
    spawnSync('tshark', ['-r', file, '-x', '-t', 'e', ...more], {
      encoding: 'utf8',
    }).stdout.replace(/^ +\d+ /gm, '');
  assert.equal(show(copy), show(path, '-Y', 'tcp.flags.syn == 1'));
  assert.equal(statSync(copy).mode & 0o777, 0o600);
});

test('read --sequence draws the handshake, in the terminal and as SVG', {
  skip: needsRoot,
}, async (t) => {
  const { path } = await captured(t);
  const text = await run(t, ['read', '--sequence', path]);
  assert.match(text.stdout, /─ SYN seq 0 \(\d+\) ─+▶[^]*◀─ SYN\+ACK seq 0[^]*─ ACK seq 1/);
  const svg = join(temporaryDirectory(t), 'a.svg');
  const drawn = await run(t, ['read', path, '--sequence', svg]);
  assert.deepEqual([drawn.status, drawn.stdout], [0, '']);
  assert.equal(statSync(svg).mode & 0o777, 0o600);
});

test('read counts one thing in the singular', async (t) => {
  const path = join(temporaryDirectory(t), 'one.pcapng');
  const server = await serve(t, ['127.0.0.1:0'], '--hello', '', '--record', path);
  await run(t, ['connect', addressOf(server)]);
  server.child.kill('SIGTERM');
  await server.exit();
  const conversations = await run(t, ['read', path, '--conversations']);
  assert.match(conversations.stdout, /server: \d+ segments, 1 byte[,\n]/);
  const layers = await run(t, ['read', path, '--layers']);
  assert.match(layers.stdout, /, 1 byte \[/);
});

test('read ends with 2 and the place where the filter is wrong, with 1 where the file is', async (t) => {
  const path = join(temporaryDirectory(t), 'none');
  const wrong = await run(t, ['read', path, 'tcp', 'prt', '5']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /"prt" at column 5/);
  const absent = await run(t, ['read', path]);
  assert.deepEqual([absent.status, absent.stderr.includes('ENOENT')], [1, true]);
  const cut = await run(t, ['read', '-'], Buffer.from('0a0d0d0a', 'hex'));
  assert.equal(cut.status, 1);
  assert.match(cut.stderr, /^sockeye: cannot read -: [^C\n]* at offset \d+, expected [^\n]*\n$/);
});

test('sockets --json has a listener with its process', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { stdout, status } = await run(t, ['sockets', 'tcp', `port=${port}`, '--json']);
  const [socket] = linesOf(stdout);
  assert.equal(status, 0);
  assert.deepEqual(
    [socket?.type, socket?.['state'], socket?.['local'], socket?.['pid']],
    ['tcp', 'LISTEN', `127.0.0.1:${port}`, process.pid],
  );
});

test('sockets says where no socket matches', async (t) => {
  const { stderr, status } = await run(t, ['sockets', 'tcp', 'process=nobody-here']);
  assert.deepEqual([status, stderr], [0, 'no socket matches tcp process=nobody-here\n']);
});

test('explain says of a peer that does not read that its window limits the connection', async (t) => {
  const server = createServer((socket) => socket.pause()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  t.after(() => {
    client.destroy();
    server.close();
  });
  client.on('error', () => undefined);
  // More than both buffers hold.
  client.write(Buffer.alloc(64 * 1024 * 1024));
  const { stdout } = await run(t, ['explain', `:${port}`, '--json', '--for', '500ms']);
  const told = linesOf(stdout).find((line) =>
    String(line['local']).endsWith(`:${client.localPort}`),
  );
  assert.equal(told?.['limit'], 'receiver window');
});

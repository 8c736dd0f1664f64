import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import {
  certificate,
  COMMAND,
  missing,
  type Outcome,
  run,
  Running,
  start,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import { stallingServer } from './stalling-server.test.util.ts';

const SHORT = ['--duration', '300ms', '--warmup', '50ms'];

/** Starts the server side and waits for its address. */
async function benchServer(
  t: TestContext,
  address: string,
): Promise<Running & { address: string }> {
  const server = start(t, 'bench', '--serve', address);
  const found = await server.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  return Object.assign(server, { address: found });
}

interface Result {
  readonly type: string;
  readonly messages: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly bytesSentPerSecond: number;
  readonly bytesReceivedPerSecond: number;
  readonly latency: Readonly<Record<string, number | string>> | null;
  readonly offered: number;
  readonly lost: number;
  readonly unanswered: number;
  readonly serverBytes: number | null;
  readonly failures: number;
  readonly interrupted: boolean;
}

function resultOf({ stdout }: Outcome): Result {
  return JSON.parse(stdout) as Result;
}

async function bench(t: TestContext, ...args: string[]): Promise<Result> {
  const outcome = await run(t, ['bench', ...args, ...SHORT, '--json']);
  assert.deepEqual([outcome.status, outcome.stderr], [0, '']);
  return resultOf(outcome);
}

const ADDRESSES = [
  'tcp://127.0.0.1:0',
  'tcp://[::1]:0',
  'udp://127.0.0.1:0',
  `unix:@sockeye-bench-${process.pid}`,
  `unix-dgram:@sockeye-bench-${process.pid}`,
  `unix-seqpacket:@sockeye-bench-${process.pid}`,
];

function isDatagrams(address: string): boolean {
  return /^(udp|unix-dgram):/.test(address);
}

for (const address of ADDRESSES) {
  test(`sockeye bench ${address} measures echoes, whose percentiles are in order`, async (t) => {
    const server = await benchServer(t, address);
    const args = ['--connections', '3', '--depth', '4', '--size', '100'];
    const { messages, latency, seconds, lost, messagesPerSecond, ...rest } = await bench(
      t,
      server.address,
      ...args,
    );
    assert.ok(messages > 10, `${messages}`);
    assert.ok(Math.abs(seconds - 0.3) < 1e-6, `${seconds}`);
    assert.ok(Math.abs(messagesPerSecond - messages / seconds) < 1e-6);
    assert.equal(lost, 0);
    assert.ok(Math.abs(rest.bytesReceivedPerSecond - messagesPerSecond * 100) <= (3 * 100) / 0.3);
    const { minUs, p50Us, p90Us, p99Us, p999Us, maxUs, count, from } = latency ?? {};
    const values = [minUs, p50Us, p90Us, p99Us, p999Us, maxUs].map(Number);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
    assert.ok(Number(minUs) > 0);
    assert.deepEqual([count, from], [messages, 'send']);
  });

  test(`sockeye bench ${address} --mode send counts what arrived`, async (t) => {
    const server = await benchServer(t, address);
    const result = await bench(t, server.address, '--mode', 'send', '--size', '1000');
    assert.ok(result.messages > 10 && result.bytesSentPerSecond > 0);
    assert.ok(result.serverBytes !== null);
    if (isDatagrams(address)) {
      assert.equal(result.offered, result.messages);
      assert.equal(result.serverBytes, (result.offered - result.lost) * 1000);
    } else {
      // Without the warm-up; at the end one message was under way.
      const more = result.serverBytes - result.messages * 1000;
      assert.ok(more >= 0 && more <= 1000, `${more} bytes more than were sent`);
    }
    assert.equal(result.latency, null);
  });

  test(`sockeye bench ${address} --mode receive counts what came`, async (t) => {
    const server = await benchServer(t, address);
    const result = await bench(t, server.address, '--mode', 'receive', '--size', '1000');
    assert.ok(result.messages > 10 && result.bytesReceivedPerSecond > 0);
    assert.ok(result.lost <= result.offered);
    assert.equal(result.offered - result.lost, isDatagrams(address) ? result.messages : 0);
  });
}

test('sockeye bench prints a table with units, and says what its latency leaves out', async (t) => {
  const server = await benchServer(t, '127.0.0.1:0');
  const { status, stdout, stderr } = await run(t, ['bench', server.address, ...SHORT]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^tcp:\/\/127\.0\.0\.1:\d+, echo, 64 B, 1 connection, depth 1, 0\.30 s\n\n/);
  for (const row of ['messages .*/s', 'sent .*B/s', 'p50 .*s', 'p99\\.9 .*s', 'max .*s']) {
    assert.match(stdout, new RegExp(`^ {2}${row}$`, 'm'));
  }
  assert.match(stdout, /coordinated omission/);
});

test('sockeye bench works against any echo server: sockeye serve, and one in Python', async (t) => {
  const ours = start(t, 'serve', '127.0.0.1:0');
  const address = await ours.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  assert.ok((await bench(t, address)).messages > 10);
  const theirs = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
while data := c.recv(7): c.sendall(data)`,
  );
  const port = await theirs.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  assert.ok((await bench(t, `127.0.0.1:${port}`, '--size', '1000', '--depth', '3')).messages > 10);
});

test('sockeye bench measures what comes after a greeting', async (t) => {
  const server = start(t, 'serve', '127.0.0.1:0', '--greeting', '欢迎! Say something.');
  const address = await server.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  for (const size of ['1', '64', '5000']) {
    assert.ok((await bench(t, address, '--size', size, '--depth', '3')).messages > 10);
  }
});

test('sockeye bench of a server that only talks says so and exits 1', async (t) => {
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
try:
    while True: c.sendall(b'blah ' * 1000)
except OSError: pass`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const { status, stderr } = await run(t, ['bench', `127.0.0.1:${port}`, ...SHORT]);
  assert.deepEqual([status, /the server does not echo/.test(stderr)], [1, true]);
});

test('sockeye bench tls:// measures all three modes', { skip: missing('openssl') }, async (t) => {
  const { cert, key } = certificate(temporaryDirectory(t));
  const server = start(t, 'bench', '--serve', 'tls://127.0.0.1:0', '--cert', cert, '--key', key);
  const address = await server.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  for (const mode of ['echo', 'send', 'receive']) {
    const result = await bench(t, address, '--ca', cert, '--mode', mode, '--connections', '2');
    assert.ok(result.messages > 10, mode);
    assert.equal(result.failures, 0);
  }
  const stranger = await run(t, ['bench', address, ...SHORT]);
  assert.deepEqual([stranger.status, /nothing vouches for/.test(stranger.stderr)], [1, true]);
});

test('sockeye bench --source and --option are of its own sockets', async (t) => {
  const server = await benchServer(t, 'tcp://127.0.0.1:0');
  const own = ['--source', '127.0.0.2', '--option', 'SO_SNDBUF=65536'];
  assert.ok((await bench(t, server.address, ...own)).messages > 10);
  const { status, stderr } = await run(t, ['bench', server.address, '--option', 'TCP_NOTHING=1']);
  assert.deepEqual(
    [status, stderr],
    [
      2,
      'sockeye: cannot set TCP_NOTHING: this socket has no such option; sockeye options ADDRESS lists what it has\n',
    ],
  );
  const wrong = await run(t, ['bench', '--serve', '127.0.0.1:0', '--source', '127.0.0.2']);
  assert.deepEqual([wrong.status, /--source is of the client/.test(wrong.stderr)], [2, true]);
});

test('sockeye bench --rate keeps its schedule and charges a stall to every message it delays', async (t) => {
  // In the middle of the measurement.
  const address = await stallingServer(t);
  const args = ['--rate', '1000', '--duration', '1s', '--warmup', '50ms', '--json'];
  const outcome = await run(t, ['bench', address, ...args]);
  assert.equal(outcome.status, 0);
  const { messages, unanswered, latency } = resultOf(outcome);
  // 1,050 with the warm-up's, however late the answers; less what a busy machine never offered.
  const scheduled = messages + unanswered;
  assert.ok(scheduled > 900 && scheduled <= 1060, `${messages} and ${unanswered}`);
  assert.equal(latency?.['from'], 'schedule');
  // 200 of 1,000 messages waited, 100 ms on average: a closed loop would show one of 200 ms.
  assert.ok(Number(latency?.['p90Us']) > 50_000, JSON.stringify(latency));
});

test('sockeye bench counts the datagrams that a server loses', async (t) => {
  const server = startPython(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0))
print(s.getsockname()[1]); n = 0
while True:
    data, peer = s.recvfrom(65536); n += 1
    if n % 4: s.sendto(data, peer)`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  // Each slot goes on until its datagram is lost, and waits for longer than the run takes.
  const args = ['--depth', '64', '--timeout', '2s', '--duration', '300ms', '--warmup', '0'];
  const outcome = await run(t, ['bench', `udp://127.0.0.1:${port}`, ...args, '--json']);
  assert.equal(outcome.status, 0);
  const { offered, lost, messages } = resultOf(outcome);
  assert.equal(messages + lost, offered);
  assert.equal(lost, Math.floor(offered / 4));
});

test('sockeye bench of a server that does not echo says so and exits 1', async (t) => {
  const ours = start(t, 'serve', '127.0.0.1:0', '--reply', 'you said: ');
  const address = await ours.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  const { status, stderr } = await run(t, ['bench', address ?? '', ...SHORT]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: [^\n]*the server does not echo: [^\n]+\n$/);
});

test('sockeye bench of a silent server ends in time, says so and exits 1', async (t) => {
  const silent = start(t, 'serve', '127.0.0.1:0', '--discard');
  const address = await silent.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  const { status, stderr } = await run(t, ['bench', address ?? '', ...SHORT]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: nothing came from tcp:[^\n]+: does it echo\?\n$/);
  const receive = await run(t, ['bench', address ?? '', '--mode', 'receive', ...SHORT]);
  assert.equal(receive.status, 1);
  assert.match(
    receive.stderr,
    /^sockeye: nothing came from tcp:[^\n]+: is it "sockeye bench --serve"\?\n$/,
  );
});

test('sockeye bench --mode receive of a datagram server that is no bench says what it needs', async (t) => {
  const other = start(t, 'serve', 'udp://127.0.0.1:0');
  const address = await other.until(({ stderr }) => /^listening on (\S+)\n/.exec(stderr)?.[1]);
  const { status, stderr } = await run(t, ['bench', address ?? '', '--mode', 'receive', ...SHORT]);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: [^\n]*this mode needs "sockeye bench --serve"[^\n]*\n$/);
});

for (const address of ['127.0.0.1:1', 'udp://127.0.0.1:1', 'unix:@sockeye-nobody']) {
  test(`sockeye bench ${address} where nobody is says so in one line and exits 1`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['bench', address, ...SHORT]);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^sockeye: [^\n]+ECONNREFUSED[^\n]*\n$/);
  });
}

test('sockeye bench prints on Ctrl-C what it measured and exits 130', async (t) => {
  const server = await benchServer(t, '127.0.0.1:0');
  const client = start(t, 'bench', server.address, '--duration', '1h', '--warmup', '0', '--json');
  await waitForPeer(server);
  client.child.kill('SIGINT');
  const outcome = await client.exit();
  assert.deepEqual([outcome.status, outcome.stderr], [130, '']);
  const { type, interrupted, seconds } = resultOf(outcome);
  assert.deepEqual([type, interrupted], ['result', true]);
  assert.ok(seconds < 60);
});

/** Waits until the kernel has a connection of the server's. */
async function waitForPeer({ address }: { address: string }): Promise<void> {
  const port = Number(/:(\d+)$/.exec(address)?.[1])
    .toString(16)
    .toUpperCase()
    .padStart(4, '0');
  const isConnected = new RegExp(`:${port} [0-9A-F]+:[0-9A-F]+ 01 `);
  const deadline = performance.now() + 20_000;
  while (!isConnected.test(await readFile('/proc/net/tcp', 'latin1'))) {
    if (performance.now() > deadline) throw new Error('nobody connected');
  }
}

test('sockeye bench --mode send says what arrived, and where the server does not say it', async (t) => {
  const server = await benchServer(t, '127.0.0.1:0');
  const args = ['--mode', 'send', '--connections', '2', ...SHORT];
  const ours = await run(t, ['bench', server.address, ...args]);
  assert.match(ours.stdout, /^ {2}arrived {4}[\d,]+ B, the server says$/m);
  const theirs = startPython(
    t,
    `import threading
def discard(c):
    while c.recv(65536): pass
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
while True: threading.Thread(target=discard, args=[l.accept()[0]], daemon=True).start()`,
  );
  const port = await theirs.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const { status, stdout } = await run(t, ['bench', `127.0.0.1:${port}`, ...args]);
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}arrived {4}the server does not say \(bench --serve does\); sent is/m);
});

test('sockeye bench shows its progress on a terminal and clears it; -q shows none', async (t) => {
  const server = await benchServer(t, '127.0.0.1:0');
  const onTerminal = async (...more: string[]): Promise<string> => {
    const args = [process.execPath, COMMAND, 'bench', server.address, ...SHORT, ...more];
    const program = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))';
    const env = { TERM: 'xterm' };
    return (await new Running(t, 'python3', ['-c', program, ...args], env).exit()).stdout;
  };
  const shown = await onTerminal('--duration', '700ms');
  assert.ok(shown.includes('warming up'), JSON.stringify(shown));
  assert.match(shown, /[\d.]+ of 0\.7 s {3}[\d,]+ messages\/s/);
  assert.ok(shown.includes('\r\u001b[Ktcp://127.0.0.1:'), JSON.stringify(shown));
  assert.ok(!(await onTerminal('-q')).includes('\u001b'));
});

test('sockeye bench --serve ends with 0 on SIGTERM, with a client', async (t) => {
  const server = await benchServer(t, '127.0.0.1:0');
  const client = start(t, 'bench', server.address, '--duration', '1h', '--json');
  await waitForPeer(server);
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
  const { status, stderr } = await client.exit();
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: bench of tcp:[^\n]+ failed: [^\n]+\n$/);
});

const WRONG: readonly [readonly string[], RegExp][] = [
  [[], /missing the address of a server; --serve is the other side/],
  [['127.0.0.1:1', '--mode', 'both'], /Allowed choices are echo, send, receive/],
  [['127.0.0.1:1', '--size', '0'], /from 1 to 16777216/],
  [['udp://127.0.0.1:1', '--size', '15'], /datagrams of 15 bytes: --size is 16 to 65507/],
  [['udp://127.0.0.1:1', '--size', '65508'], /datagrams of 65508 bytes/],
  [['127.0.0.1:1', '--connections', '10001'], /from 1 to 10000/],
  [['127.0.0.1:1', '--depth', '-1'], /from 1 to 65536/],
  [['127.0.0.1:1', '--duration', 'none'], /Expected at most 24h/],
  [['127.0.0.1:1', '--duration', '0'], /--duration is too short/],
  [['127.0.0.1:1', '--rate', '5', '--mode', 'receive'], /cannot be used with --mode receive/],
  [['localhost'], /it has no port/],
  [['--serve', 'tls://127.0.0.1:1'], /needs --cert and --key/],
];

for (const [args, message] of WRONG) {
  test(`sockeye bench ${args.join(' ')} says in one line what is wrong and exits 2`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['bench', ...args]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

test('sockeye bench --mode send of a server that reads nothing ends in time with what it sent', async (t) => {
  const deaf = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); sys.stdin.read()`,
  );
  const port = await deaf.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const args = ['bench', `127.0.0.1:${port}`, '--mode', 'send', '--size', '100000', ...SHORT];
  const { status, stdout } = await run(t, [...args, '--warmup', '0']);
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}arrived {4}the server does not say/m);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { COMMAND, missing, type Outcome, run, serve, start } from '../command.test.util.ts';
import { Network, noNamespaces } from '../ping/namespaces.test.util.ts';

const skip = noNamespaces() || missing('tc') || missing('python3');

/** Sends as much as goes, and says when it has begun. */
const SENDER = `import socket
s = socket.create_connection(('10.9.2.2', 9000))
s.sendall(b'x' * 100000)
print('sending', flush=True)
while True: s.sendall(b'x' * 100000)
`;
const READER = `import socket
s = socket.create_server(('10.9.2.2', 9000))
print('listening', flush=True)
c, _ = s.accept()
while c.recv(1 << 20): pass
`;

/** What `explain` says on the host of a connection that sends through a bucket of tokens. */
async function explained(t: TestContext, bucket: string, ...args: string[]): Promise<Outcome> {
  const network = new Network(t);
  network.shell('router', `tc qdisc add dev r2 root tbf ${bucket}`);
  const reader = network.startAt('far', t, 'python3', '-c', READER);
  await reader.until(({ stdout }) => stdout.includes('listening'));
  const sender = network.start(t, 'python3', '-c', SENDER);
  await sender.until(({ stdout }) => stdout.includes('sending'));
  const explain = network.start(t, process.execPath, COMMAND, 'explain', ':9000', ...args);
  return explain.exit();
}

test('explain names the network of a connection through a slow link with a long queue', {
  skip,
}, async (t) => {
  const { status, stdout } = await explained(t, 'rate 20mbit burst 16k limit 4m');
  assert.equal(status, 0);
  assert.match(stdout, /→ 10\.9\.2\.2:9000: The network limits it: the congestion window of \d+/);
});

test('explain names the loss of a connection through a slow link with a short queue', {
  skip,
}, async (t) => {
  const { status, stdout } = await explained(t, 'rate 20mbit burst 16k limit 20k', '--json');
  assert.equal(status, 0);
  const { type, limit, figures } = JSON.parse(stdout) as {
    type: string;
    limit: string;
    figures: { totalRetransSegments: number };
  };
  assert.deepEqual([type, limit], ['explanation', 'loss']);
  assert.ok(figures.totalRetransSegments > 1);
});

test('explain takes a host by its name, and both ends', async (t) => {
  const server = await serve(t, ['127.0.0.1:0']);
  const [port = 0] = server.ports;
  const client = start(t, 'connect', `127.0.0.1:${port}`);
  client.child.stdin.write('hello\n');
  await client.until(({ stdout }) => stdout.toString() === 'hello\n');
  const { status, stdout, stderr } = await run(t, [
    'explain',
    `localhost:${port}`,
    '--for',
    '50ms',
  ]);
  assert.deepEqual([status, stderr], [0, '']);
  const ends = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf(': ')));
  assert.equal(ends.length, 2);
  assert.ok(
    ends.some((line) => line.endsWith(` → 127.0.0.1:${port}`)),
    stdout,
  );
});

for (const [address, status, message] of [
  ['nowhere.invalid:80', 1, /^sockeye: cannot look up tcp:\/\/nowhere\.invalid:80: [^\n]+\n$/],
  ['localhost', 2, /^sockeye: cannot explain localhost: expected an end of [^\n]+\n$/],
  ['localhost:70000', 2, /^sockeye: cannot explain localhost:70000: [^\n]+\n$/],
] as const) {
  test(`explain ${address} says in one line what is wrong and exits ${status}`, async (t) => {
    const outcome = await run(t, ['explain', address]);
    assert.deepEqual([outcome.status, outcome.stdout], [status, '']);
    assert.match(outcome.stderr, message);
  });
}

test('explain ends with 1 where there is no such connection', async (t) => {
  const { status, stderr } = await run(t, ['explain', '127.0.0.1:1']);
  assert.equal(status, 1);
  assert.match(stderr, /no TCP connection with 127\.0\.0\.1:1/);
});

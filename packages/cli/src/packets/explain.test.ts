import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { COMMAND, missing, type Outcome, run } from '../command.test.util.ts';
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

test('explain ends with 1 where there is no such connection', async (t) => {
  const { status, stderr } = await run(t, ['explain', '127.0.0.1:1']);
  assert.equal(status, 1);
  assert.match(stderr, /no TCP connection with 127\.0\.0\.1:1/);
});

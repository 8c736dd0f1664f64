import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMAND, missing, run, Running, start } from '../command.test.util.ts';
import { noNamespaces } from './namespaces.test.util.ts';
import { withoutTimes } from './same-text.test.util.ts';

/** Whether the system lets us ping, and with which version. */
async function cannotPing(address: string): Promise<string | false> {
  const { status, stderr } = spawnSync(
    process.execPath,
    [COMMAND, 'ping', '-c', '1', '-W', '2s', address],
    { encoding: 'utf8' },
  );
  return status === 0 ? false : `no ping of ${address}: ${stderr || 'no reply'}`;
}

const skip4 = await cannotPing('127.0.0.1');
const skip6 = await cannotPing('::1');
const noIputils = missing('ping');

for (const [address, skip] of [
  ['127.0.0.1', skip4],
  ['::1', skip6],
] as const) {
  for (const more of [[], ['-q'], ['-s', '100'], ['-t', '9']]) {
    test(`sockeye ping ${address} ${more.join(' ')} prints what iputils ping prints`, {
      skip: skip || noIputils,
    }, async (t) => {
      const args = ['-c', '3', '-i', '0.01', ...more, address];
      const ours = await run(t, ['ping', ...args]);
      const theirs = await new Running(t, 'ping', args).exit();
      assert.equal(withoutTimes(ours.stdout), withoutTimes(theirs.stdout));
      assert.deepEqual([ours.status, ours.stderr], [0, '']);
    });
  }

  for (const size of [0, 1, 7, 8, 1472, 1473, 65_507]) {
    test(`sockeye ping ${address} gets ${size} bytes back`, { skip }, async (t) => {
      const { status, stdout } = await run(t, ['ping', '-c1', '-s', `${size}`, '--json', address]);
      assert.equal(status, 0);
      const [, reply, statistics] = lines(stdout);
      assert.equal(reply?.['bytes'], size + 8);
      assert.equal(statistics?.['corrupted'], 0);
    });
  }
}

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test('sockeye ping --json prints one object a line, whose statistics fit its replies', {
  skip: skip4,
}, async (t) => {
  const { status, stdout } = await run(t, ['ping', '-c4', '-i', '5ms', '--json', '127.0.0.1']);
  assert.equal(status, 0);
  const events = lines(stdout);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'reply', 'reply', 'reply', 'reply', 'statistics'],
  );
  const replies = events.filter(({ type }) => type === 'reply');
  assert.deepEqual(
    replies.map(({ sequence, from, ttl }) => [sequence, from, ttl]),
    [1, 2, 3, 4].map((sequence) => [sequence, '127.0.0.1', 64]),
  );
  const times = replies.map(({ rttMs }) => Number(rttMs));
  const { minMs, maxMs, avgMs, transmitted, received, loss } = events.at(-1) ?? {};
  assert.deepEqual([transmitted, received, loss], [4, 4, 0]);
  assert.ok(times.every((time) => time > 0 && time < 1000));
  assert.ok(Math.abs(Number(minMs) - Math.min(...times)) < 1e-5);
  assert.ok(Math.abs(Number(maxMs) - Math.max(...times)) < 1e-5);
  assert.ok(Math.abs(Number(avgMs) - times.reduce((a, b) => a + b) / 4) < 1e-5);
});

test('sockeye ping -q --json prints the statistics only', { skip: skip4 }, async (t) => {
  const { status, stdout } = await run(t, ['ping', '-c2', '-i5ms', '-q', '--json', '127.0.0.1']);
  const [{ type, received } = {}, ...more] = lines(stdout);
  assert.deepEqual([status, type, received, more], [0, 'statistics', 2, []]);
});

test('sockeye ping counts its own replies only, while others ping the same host', {
  skip: skip4,
}, async (t) => {
  const args = ['ping', '-c', '20', '-i', '3ms', '--json', '127.0.0.1'];
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => run(t, args)));
  for (const { stdout } of outcomes) {
    const { received, duplicates, corrupted, errors } = lines(stdout).at(-1) ?? {};
    assert.deepEqual([received, duplicates, corrupted, errors], [20, 0, 0, 0]);
  }
});

test('sockeye ping prints its statistics on SIGINT and exits 0 with replies', {
  skip: skip4,
}, async (t) => {
  const running = start(t, 'ping', '-i', '20ms', '127.0.0.1');
  await running.until(({ stdout }) => stdout.includes('icmp_seq=2 '));
  running.child.kill('SIGINT');
  const { status, stdout, stderr } = await running.exit();
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /\n--- 127\.0\.0\.1 ping statistics ---\n\d+ packets transmitted, \d+ received/,
  );
  assert.match(stdout, /\nrtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms\n$/);
});

test('sockeye ping ends quietly when the reader of its pipe has gone', {
  skip: skip4,
}, async (t) => {
  const line = `"$0" "$1" ping -i 5ms 127.0.0.1 | head -n 2; echo "\${PIPESTATUS[0]}"`;
  const args = ['-c', line, process.execPath, COMMAND];
  const { stdout, stderr } = await new Running(t, 'bash', args).exit();
  assert.match(stdout, /^PING [^\n]+\n64 bytes [^\n]+\n141\n$/);
  assert.equal(stderr, '');
});

const noUnprivileged = noNamespaces() || missing('setpriv');

test('sockeye ping says in one line what allows it, where the system does not', {
  skip: noUnprivileged,
}, async (t) => {
  const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'];
  const args = ['-n', 'setpriv', ...drop, process.execPath, COMMAND, 'ping', '127.0.0.1'];
  const { status, stdout, stderr } = await new Running(t, 'unshare', args).exit();
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^sockeye: cannot open an ICMP socket: [^\n]+\n$/);
  assert.match(stderr, /CAP_NET_RAW.*net\.ipv4\.ping_group_range/);
});

const WRONG: readonly [readonly string[], RegExp][] = [
  [[], /missing required argument 'host'/],
  [['a', 'b'], /too many arguments/],
  [['127.0.0.1', '-c', '0'], /Expected a number from 1/],
  [['127.0.0.1', '-c', '1e3'], /Expected a number from 1/],
  [['127.0.0.1', '-i', '1ms'], /Expected at least 2ms/],
  [['127.0.0.1', '-i', 'none'], /Expected at least 2ms/],
  [['127.0.0.1', '-t', '256'], /from 1 to 255/],
  [['127.0.0.1', '-s', '65508'], /cannot send 65508 bytes: the most is 65507/],
  [['::1', '-s', '65528'], /from 0 to 65527/],
  [['127.0.0.1', '-6'], /it is an IPv4 address, with -6/],
  [['::1', '-4'], /it is an IPv6 address, with -4/],
  [['127.0.0.1', '-4', '-6'], /cannot be used with option/],
  [['127.0.0.1:80'], /expected a host name or an address, no port/],
  [['\u001b[2J'], /"\\x1b\[2J": expected a host name/],
  [['127.0.0.1', '-W', 'soon'], /Expected a duration/],
];

for (const [args, message] of WRONG) {
  test(`sockeye ping ${JSON.stringify(args)} says in one line what is wrong and exits 2`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['ping', ...args]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

test('sockeye ping of a host that does not exist says so and exits 1', async (t) => {
  const { status, stderr } = await run(t, ['ping', 'nothing.invalid']);
  assert.equal(status, 1);
  assert.match(stderr, /^sockeye: cannot ping "nothing\.invalid": [^\n]+\(EAI_\w+\)\n$/);
});

test('sockeye ping --source and --option are of its own socket', { skip: skip4 }, async (t) => {
  const ping = (...args: string[]) => run(t, ['ping', '-c', '1', '127.0.0.1', ...args]);
  const own = await ping('--source', '127.0.0.3', '--option', 'IP_TOS=16');
  assert.deepEqual([own.status, own.stderr], [0, '']);
  const other = await ping('--source', '::1');
  assert.deepEqual(
    [other.status, other.stderr],
    [2, 'sockeye: cannot use --source "::1": expected an IPv4 address\n'],
  );
  const foreign = await ping('--source', '192.0.2.1');
  assert.equal(foreign.status, 1);
  assert.match(
    foreign.stderr,
    /^sockeye: cannot send from 192\.0\.2\.1: [^\n]*EADDRNOTAVAIL[^\n]*\n$/,
  );
  const unknown = await ping('--option', 'TCP_NODELAY=1');
  assert.deepEqual(
    [unknown.status, unknown.stderr],
    [
      2,
      'sockeye: cannot set TCP_NODELAY: this socket has no such option; sockeye options ADDRESS lists what it has\n',
    ],
  );
});

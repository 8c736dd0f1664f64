import assert from 'node:assert/strict';
import { test } from 'node:test';
import { python, run, Running, serve, COMMAND } from '../command.test.util.ts';
import { optionTable } from './option-table.ts';

interface Listed {
  readonly name: string;
  readonly level: string;
  readonly levelNumber: number;
  readonly number: number;
  readonly kind: string;
  readonly settable: boolean;
  readonly readable: boolean;
  readonly unit: string | null;
  readonly value: unknown;
  readonly error: string | null;
}

function listed(stdout: string): Listed[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Listed);
}

/** Makes a socket in Python and prints each of the options given, as an int. */
const PYTHON = `
import json
family, kind, wanted = json.loads(sys.argv[1])
s = socket.socket(getattr(socket, family), getattr(socket, kind))
print(json.dumps([s.getsockopt(level, number) for level, number in wanted]))`;

const KINDS: readonly [string, string, string][] = [
  ['tcp', 'AF_INET', 'SOCK_STREAM'],
  ['tcp6', 'AF_INET6', 'SOCK_STREAM'],
  ['udp', 'AF_INET', 'SOCK_DGRAM'],
  ['udp://[::1]:53', 'AF_INET6', 'SOCK_DGRAM'],
  ['unix', 'AF_UNIX', 'SOCK_STREAM'],
  ['unix-dgram:///run/s', 'AF_UNIX', 'SOCK_DGRAM'],
  ['unix-seqpacket', 'AF_UNIX', 'SOCK_SEQPACKET'],
];

// They differ from socket to socket.
const OWN = new Set(['SO_COOKIE', 'SO_INCOMING_CPU', 'TCP_TIMESTAMP']);

for (const [address, family, type] of KINDS) {
  test(`sockeye options ${address} --json has the values that Python reads`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['options', address, '--json']);
    assert.deepEqual([status, stderr], [0, '']);
    const ints = listed(stdout).filter(
      ({ name, kind, unit, value }) =>
        typeof value !== 'object' &&
        /integer|boolean/.test(kind) &&
        unit !== 'bytes/s' &&
        !OWN.has(name),
    );
    assert.ok(ints.length > 20, `${ints.length}`);
    const wanted = ints.map(({ levelNumber, number }) => [levelNumber, number]);
    const theirs = JSON.parse(
      await python(t, PYTHON, JSON.stringify([family, type, wanted])),
    ) as number[];
    ints.forEach(({ name, kind, value }, i) => {
      const expected = kind === 'boolean' ? theirs[i] !== 0 : theirs[i];
      // What is unsigned here is signed in Python.
      const ours = typeof value === 'number' ? value | 0 : value;
      assert.equal(ours, expected, name);
    });
  });
}

test('sockeye options prints a table with levels, units and words', async (t) => {
  const { status, stdout, stderr } = await run(t, ['options', 'tcp']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^LEVEL +NAME +ACCESS +VALUE\n/);
  assert.match(stdout, /^SOL_SOCKET +SO_TYPE +read +SOCK_STREAM \(1\)$/m);
  assert.match(stdout, /^SOL_SOCKET +SO_DOMAIN +read +AF_INET \(2\)$/m);
  assert.match(stdout, /^SOL_SOCKET +SO_RCVBUF +read, set +\d+ bytes$/m);
  assert.match(stdout, /^IPPROTO_TCP +TCP_KEEPIDLE +read, set +\d+ s( \([\d.]+ \w+\))?$/m);
  assert.match(stdout, /^IPPROTO_TCP +TCP_NODELAY +read, set +off$/m);
  assert.match(stdout, /^IPPROTO_TCP +TCP_INFO +read +state +TCP_CLOSE\n/m);
  assert.match(stdout, /^IPPROTO_IP +IP_ADD_MEMBERSHIP +set +-$/m);
});

test('sockeye options tcp TCP_INFO has a line for each field, with its unit, and no name twice', async (t) => {
  const { stdout } = await run(t, ['options', 'tcp', 'TCP_INFO']);
  const [, first = '', ...rest] = stdout.trimEnd().split('\n');
  const column = first.indexOf('state');
  const fields = [first, ...rest].map((line) => line.slice(column));
  assert.ok(
    rest.every((line) => line.startsWith(' '.repeat(column)) && line.length <= 80),
    stdout,
  );
  const names = fields.map((line) => line.slice(0, line.indexOf(' ')));
  assert.ok(names.length > 30, stdout);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('deliveredCeSegments') || !names.includes('deliveredCe'), stdout);
  for (const line of [/^rtt +0 µs$/, /^minRtt +none$/, /^pacingRate +no limit$/]) {
    assert.ok(
      fields.some((field) => line.test(field)),
      `${line}\n${stdout}`,
    );
  }
});

test('sockeye options unix says AF_UNIX, and none of TCP', async (t) => {
  const { stdout } = await run(t, ['options', 'unix']);
  assert.match(stdout, /SO_DOMAIN +read +AF_UNIX \(1\)\n/);
  assert.doesNotMatch(stdout, /TCP_|IP_/);
});

test('sockeye options --connect shows a connection, and changes nothing of it', async (t) => {
  const server = await serve(t, ['127.0.0.1:0']);
  const args = ['options', '--connect', server.addresses[0] ?? '', 'TCP_*', '--json'];
  const { status, stdout } = await run(t, args);
  assert.equal(status, 0);
  const options = new Map(listed(stdout).map(({ name, value }) => [name, value]));
  const info = options.get('TCP_INFO') as { state: number; rttUs: number };
  assert.equal(info.state, 1);
  assert.ok(info.rttUs > 0);
  assert.equal(options.get('TCP_NODELAY'), false);
});

const PATTERNS: readonly [string, readonly string[]][] = [
  ['nodelay', ['TCP_NODELAY']],
  ['TCP_KEEP*', ['TCP_KEEPCNT', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL']],
  ['so_???buf', ['SO_RCVBUF', 'SO_SNDBUF']],
  ['SO_*BUF', ['SO_RCVBUF', 'SO_SNDBUF']],
];

for (const [pattern, names] of PATTERNS) {
  test(`sockeye options tcp '${pattern}' shows ${names.join(' and ')}`, async (t) => {
    const { stdout } = await run(t, ['options', 'tcp', pattern, '--json']);
    assert.deepEqual(
      listed(stdout).map(({ name }) => name),
      names,
    );
  });
}

test('sockeye options --option shows what the system makes of a value', async (t) => {
  const args = ['options', 'tcp', '*RCVBUF', '--option', 'SO_RCVBUF=65536', '--json'];
  const { status, stdout } = await run(t, args);
  // The kernel doubles it for its own bookkeeping: socket(7).
  assert.deepEqual([status, (JSON.parse(stdout) as { value: unknown }).value], [0, 131_072]);
  const wrong = await run(t, ['options', 'tcp', '--source', '127.0.0.1']);
  assert.deepEqual(
    [wrong.status, wrong.stderr],
    [2, 'sockeye: --source is for a socket that connects: add --connect\n'],
  );
});

test('sockeye options ends quietly when the reader of its pipe has gone', async (t) => {
  const args = ['-c', '"$0" "$1" options tcp | head -n 1', process.execPath, COMMAND];
  const { stdout, stderr } = await new Running(t, 'sh', args).exit();
  assert.match(stdout, /^LEVEL [^\n]+\n$/);
  assert.equal(stderr, '');
});

const WRONG: readonly [readonly string[], number, RegExp][] = [
  [[], 2, /missing required argument 'address'/],
  [['tcp', 'a', 'b'], 2, /too many arguments/],
  [['sctp'], 2, /sctp is no kind of socket; expected an address or one of tcp, tcp6/],
  [['tcp', '--connect'], 2, /--connect needs an address/],
  [['tcp', 'TCP_NODELAYED'], 1, /no option of this socket matches "TCP_NODELAYED"/],
  [['127.0.0.1:1', '--connect'], 1, /ECONNREFUSED/],
  [['127.0.0.1:0', '--connect'], 2, /port 0 is for servers only/],
];

for (const [args, code, message] of WRONG) {
  test(`sockeye options ${args.join(' ')} says in one line what is wrong and exits ${code}`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['options', ...args]);
    assert.deepEqual([status, stdout], [code, '']);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

test('optionTable() wraps a long value below itself, and never where the room is too little', () => {
  const value = 'one two three four five six seven eight nine ten eleven twelve';
  const rows = [{ level: 'SOL_SOCKET', name: 'SO_MEMINFO', access: 'read', value }] as const;
  const wrapped = optionTable(rows, 60).split('\n');
  assert.ok(wrapped.length > 3 && wrapped.every((line) => line.length <= 60), wrapped.join('\n'));
  const column = wrapped[0]?.indexOf('VALUE') ?? 0;
  const text = wrapped.slice(1).map((line) => line.slice(column));
  assert.equal(text.join(' ').trim(), value);
  for (const width of [20, Number.POSITIVE_INFINITY]) {
    assert.equal(optionTable(rows, width).split('\n').length, 3);
  }
});

for (const command of ['options', 'bench', 'ping']) {
  test(`sockeye ${command} --help shows examples in lines that fit, and exits 0`, async (t) => {
    const { status, stdout, stderr } = await run(t, [command, '--help']);
    assert.deepEqual([status, stderr], [0, '']);
    const examples = stdout.slice(stdout.indexOf('\nExamples:\n')).match(/^ {2}sockeye \w+/gm);
    assert.ok((examples?.length ?? 0) >= 3, stdout);
    assert.ok(
      stdout.split('\n').every((line) => line.length <= 100),
      stdout,
    );
  });
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseAddress } from '../address/parse-address.ts';
import {
  addressOf,
  certificate,
  freePort,
  missing,
  Running,
  run,
  serve,
  start,
  temporaryDirectory,
} from '../command.test.util.ts';
import { type Emitted, emittedText } from './emit.ts';
import { FRAMES, portOf, program } from './program.test.util.ts';

/** A client's outcome, once somebody listens. */
async function connected(t: TestContext, address: string, ...args: string[]): Promise<string> {
  for (;;) {
    const { status, stdout, stderr } = await run(t, ['connect', address, ...args], 'hello\n');
    // Who sends its line and closes may do so before ours is there.
    if (status === 0 || stderr.includes('(EPIPE)')) return stdout;
    if (!/ECONNREFUSED|ENOENT/.test(stderr)) throw new Error(stderr);
  }
}

for (const [scheme, ...flags] of [
  ['127.0.0.1:0', '--option', 'SO_RCVBUF=65536', '--source', '127.0.0.2'],
  ['127.0.0.1:0', '--crlf'],
  ['unix:@sockeye-emit'],
  ['unix-seqpacket:@sockeye-emit'],
  ['udp://127.0.0.1:0'],
] as const) {
  test(`sockeye connect ${[scheme, ...flags].join(' ')} --emit prints a program that does it`, async (t) => {
    const where = scheme.replace('emit', `emit-${process.pid}`);
    const server = await serve(t, [where], '--reply', 're: ');
    const client = await program(t, ['connect', addressOf(server), ...flags]);
    client.child.stdin.end('hello\n');
    const { status, stdout } = await client.exit();
    const isCrlf = (flags as readonly string[]).includes('--crlf');
    assert.deepEqual([status, stdout], [0, `re: hello${isCrlf ? '\r' : ''}\n`]);
  });
}

for (const frame of FRAMES) {
  test(`sockeye connect --frame ${frame} --emit prints a program that does it`, async (t) => {
    const server = await serve(t, ['127.0.0.1:0']);
    const client = await program(t, ['connect', addressOf(server), '--frame', frame]);
    client.child.stdin.end('[1,2]\n[3,4]\n');
    const { status, stdout } = await client.exit();
    assert.deepEqual([status, stdout], [0, '[1,2]\n[3,4]\n']);
  });
}

test('sockeye connect --frame --emit sends frames', async (t) => {
  const server = new Running(t, 'python3', [
    '-u',
    '-c',
    `import socket
s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])
print(s.accept()[0].makefile('rb').read().hex())`,
  ]);
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(String(stdout))?.[1]);
  const address = `127.0.0.1:${port}`;
  const client = await program(t, ['connect', address, '--frame', 'length:4:little']);
  client.child.stdin.end('hi\n');
  await server.exit();
  assert.match(String(server.stdout), /^020000006869$/m);
});

test('sockeye connect tls:// --emit prints a program that does it', {
  skip: missing('openssl'),
}, async (t) => {
  const { cert, key } = certificate(temporaryDirectory(t));
  const server = await serve(t, ['tls://127.0.0.1:0'], '--cert', cert, '--key', key);
  const address = addressOf(server).replace('127.0.0.1', 'localhost');
  for (const flags of [[], ['--frame', 'netstring']]) {
    const client = await program(t, ['connect', address, '--ca', cert, ...flags]);
    client.child.stdin.end('hello\n');
    const { status, stdout, stderr } = await client.exit();
    assert.deepEqual([status, stdout, stderr], [0, 'hello\n', '']);
  }
});

for (const [flags, answer] of [
  [[], 'hello\n'],
  [['--reply', "it's: "], "it's: hello\n"],
  [['--greeting', 'Hi', '--discard'], 'Hi\n'],
  [['--hello', 'Hi'], 'Hi\n'],
] as const) {
  test(`sockeye serve ${flags.join(' ')} --emit prints a program that does it`, async (t) => {
    const path = join(temporaryDirectory(t), 's');
    const address = `unix://${path}`;
    const server = await program(t, ['serve', address, ...flags]);
    assert.equal(await connected(t, address), answer);
    server.child.kill('SIGTERM');
  });
}

test('sockeye options --emit prints programs that do it, fresh and connected', async (t) => {
  const fresh = await (await program(t, ['options', 'udp', '--option', 'SO_RCVBUF=65536'])).exit();
  assert.deepEqual([fresh.status, /^SO_RCVBUF 131072$/m.test(fresh.stdout)], [0, true]);
  const some = await (await program(t, ['options', 'tcp', 'so_???buf'])).exit();
  assert.match(some.stdout, /^SO_\w+ \d+\nSO_\w+ \d+\n$/);
  const server = await serve(t, ['127.0.0.1:0']);
  const args = ['options', addressOf(server), '--connect', '--source', '127.0.0.2'];
  const open = await (await program(t, args)).exit();
  assert.deepEqual([open.status, /^TCP_INFO /m.test(open.stdout)], [0, true]);
});

test('sockeye serve --emit prints programs for TCP, TLS and UDP', async (t) => {
  const port = await freePort(t);
  await program(t, ['serve', `127.0.0.1:${port}`, '--chat']);
  await program(t, ['serve', `udp://127.0.0.1:${port}`, '--reply', '> ']);
  assert.match(await connected(t, `127.0.0.1:${port}`), /^\* you are guest1, .*\n$/);
  assert.equal(await connected(t, `udp://127.0.0.1:${port}`), '> hello\n');
  const { cert, key } = certificate(temporaryDirectory(t));
  const other = await freePort(t);
  await program(t, ['serve', `tls://127.0.0.1:${other}`, '--cert', cert, '--key', key]);
  assert.equal(await connected(t, `tls://127.0.0.1:${other}`, '--ca', cert), 'hello\n');
});

test('sockeye listen --emit prints a program that does it', async (t) => {
  const address = `unix://${join(temporaryDirectory(t), 's')}`;
  const listener = await program(t, ['listen', address]);
  listener.child.stdin.end('back');
  assert.equal(await connected(t, address), 'back');
  const { status, stdout } = await listener.exit();
  assert.deepEqual([status, stdout], [0, 'hello\n']);
});

for (const host of ['127.0.0.1', '::1']) {
  test(`sockeye ping ${host} --emit prints a program that does it`, async (t) => {
    const args = ['ping', host, '-c', '2', '-i', '10ms', '-s', '9', '-t', '5'];
    const real = await run(t, args);
    if (real.status !== 0 && /CAP_NET_RAW|unreachable/.test(real.stderr + real.stdout)) {
      t.skip(real.stderr);
      return;
    }
    const { status, stdout } = await (await program(t, args)).exit();
    const lines = '17 bytes: seq=1 time=T ms\n17 bytes: seq=2 time=T ms\n2 requests, 2 replies\n';
    assert.deepEqual([status, stdout.replace(/=[\d.]+ ms/g, '=T ms')], [0, lines]);
  });
}

test('sockeye ping --emit prints a line that ping takes', { skip: missing('ping') }, async (t) => {
  const flags = ['-c', '1', '-i', '200ms', '-s', '20', '-t', '9', '-W', '2s', '-q'];
  const { stdout } = await run(t, [
    'ping',
    '127.0.0.1',
    ...flags,
    '--source',
    '127.0.0.2',
    '--emit',
  ]);
  const [line = ''] = stdout.split('\n');
  assert.equal(line, '// ping -4 -c 1 -i 0.2 -s 20 -t 9 -W 2 -I 127.0.0.2 -q 127.0.0.1');
  const real = await new Running(t, 'sh', ['-c', line.slice(3)]).exit();
  if (/not permitted/.test(real.stderr)) t.skip(real.stderr);
  else assert.match(real.stdout, /1 packets transmitted, 1 received/);
});

test('sockeye forward --emit prints a program that does it', async (t) => {
  const directory = temporaryDirectory(t);
  const target = await serve(t, ['127.0.0.1:0', 'udp://127.0.0.1:0'], '--reply', '> ');
  const [tcp = '', udp = ''] = target.addresses;
  const way = `unix://${join(directory, 'way')}`;
  await program(t, ['forward', way, tcp]);
  assert.equal(await connected(t, way), '> hello\n');
  const datagrams = `unix-dgram://${join(directory, 'd')}`;
  await program(t, ['forward', datagrams, udp]);
  assert.equal(await connected(t, datagrams), '> hello\n');
});

const LINES: readonly [Emitted['command'], string, Emitted['flags'], string[]][] = [
  ['connect', 'example.com:80', {}, ['socat -t 10 - TCP:example.com:80', 'nc -N example.com 80']],
  [
    'connect',
    'udp://[::1]:53',
    { timeout: 2000 },
    ['socat -t 10 -T 2 - UDP6:[::1]:53', 'nc -N -w 2 -u ::1 53'],
  ],
  [
    'listen',
    ':9000',
    { keep: true },
    ['socat -t 10 TCP-LISTEN:9000,reuseaddr,fork -', 'nc -l -k -N 9000'],
  ],
  [
    'serve',
    'unix:@room',
    { discard: true },
    ['socat -t 10 ABSTRACT-LISTEN:room,fork OPEN:/dev/null'],
  ],
  ['connect', 'tls://h:1', { insecure: true }, ['socat -t 10 - OPENSSL:h:1,verify=0']],
];

for (const [command, address, flags, expected] of LINES) {
  test(`emittedText() begins with ${expected.join(' and ')}`, () => {
    const text = emittedText({ command, endpoint: parseAddress(address), flags });
    assert.deepEqual(
      text.split('\n').slice(0, expected.length),
      expected.map((line) => `// ${line}`),
    );
  });
}

test('sockeye serve --chat --emit prints a room of names', async (t) => {
  const room = await program(t, ['serve', '127.0.0.1:0', '--chat']);
  const address = `127.0.0.1:${await portOf(room)}`;
  const [first, second] = [start(t, 'connect', address), start(t, 'connect', address)];
  const hears = (client: Running, text: string): Promise<boolean> =>
    client.until(({ stdout }) => stdout.includes(text));
  await Promise.all([hears(first, '* you are guest'), hears(second, '* you are guest')]);
  const [, name = ''] = /you are (guest\d)/.exec(first.stdout.toString()) ?? [];
  first.child.stdin.write('hel');
  first.child.stdin.write('lo\u0007\nagain\n');
  await hears(second, `${name}: hello\n${name}: again\n`);
  first.child.stdin.write('/nick ada\n');
  await hears(second, `* ${name} is now ada\n`);
  second.child.stdin.write('/nick ada\n');
  await hears(second, '* somebody has that name\n');
  first.child.stdin.end();
  await hears(second, '* ada left\n');
});

test('sockeye serve and forward --emit print programs with the limits of the command', async (t) => {
  for (const [args, limits] of [
    [['serve', ':1'], []],
    [
      ['serve', ':1', '--chat'],
      ['firstByteTimeoutMs: Infinity', 'idleTimeoutMs: Infinity'],
    ],
    [
      ['serve', ':1', '--hello', 'x', '--drain', '1s'],
      ['firstByteTimeoutMs: Infinity', 'drainTimeoutMs: 1000'],
    ],
    [
      ['serve', ':1', '--max-connections', '9', '--idle-timeout', '5s', '--write-timeout', 'none'],
      ['maxConnections: 9', 'idleTimeoutMs: 5000', 'writeTimeoutMs: Infinity'],
    ],
    [
      ['forward', ':1', ':2', '--deny', '::1'],
      [
        "deny: ['::1']",
        'firstByteTimeoutMs: Infinity',
        'idleTimeoutMs: 3600000',
        'writeTimeoutMs: Infinity',
      ],
    ],
  ] as const) {
    const { stdout } = await run(t, [...args, '--emit']);
    const found = [...stdout.matchAll(/^ {2}(\w+: [^\n]*),$/gm)].map(([, field]) => field);
    assert.deepEqual(found, limits);
  }
});

for (const args of [
  ['serve', '127.0.0.1:1'],
  ['listen', 'unix-seqpacket:@s', '--keep'],
  ['connect', 'tls://h:1', '--crlf'],
  ['forward', '127.0.0.1:1', 'udp://127.0.0.1:1'],
  ['bench', '127.0.0.1:1', '--mode', 'send'],
  ['bench', 'udp://127.0.0.1:1', '--mode', 'receive'],
  ['bench', '--serve', 'unix:@s'],
]) {
  test(`sockeye ${args.join(' ')} --emit prints a program that uses all it imports`, async (t) => {
    const { stdout } = await run(t, [...args, '--emit']);
    const names = [...stdout.matchAll(/^import (?:type )?(?:\{ (.*) \}|(\w+)) from/gm)].flatMap(
      ([, several, one = '']) => several?.split(', ').map((name) => name.split(' ').at(-1)) ?? one,
    );
    assert.ok(names.length > 0, stdout);
    const code = stdout.replace(/^(import|\/\/).*$/gm, '');
    for (const name of names) assert.match(code, new RegExp(`(?<![\\w.-])${name}\\b`), name);
  });
}

for (const args of [
  ['serve', 'tls://127.0.0.1:0'],
  ['listen', 'tls://127.0.0.1:0'],
  ['forward', 'tls://127.0.0.1:0', 'tcp://127.0.0.1:1'],
]) {
  test(`sockeye ${args.join(' ')} --emit refuses what the command refuses`, async (t) => {
    const [real, emitted] = [await run(t, args), await run(t, [...args, '--emit'])];
    assert.deepEqual([emitted.status, emitted.stdout], [2, '']);
    assert.match(emitted.stderr, /needs --cert and --key/);
    assert.equal(emitted.stderr, real.stderr);
  });
}

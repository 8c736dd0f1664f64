import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  addressOf,
  missing,
  python,
  Running,
  run,
  serve,
  startListening,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';

test('sockeye connect --crlf sends CR LF for each newline, and none twice', async (t) => {
  const server = await serve(t, [ANYWHERE]);
  const { stdout } = await run(t, ['connect', addressOf(server), '--crlf'], 'a\nb\r\n\n\nc');
  assert.equal(stdout, 'a\r\nb\r\n\r\n\r\nc');
});

const FRAMES: readonly [string, string, string][] = [
  ['lines', 'one\n两\n', '6f6e650ae4b8a40a'],
  ['length:4', 'ab\n\nc', '000000026162000000000000000163'],
  ['length:2:little', 'ab\n', '02006162'],
  ['length:varint', 'ab\n', '026162'],
  ['netstring', 'ab\n', Buffer.from('2:ab,').toString('hex')],
  ['json', '{"a": 1}\n[2]\n', Buffer.from('{"a":1}\n[2]\n').toString('hex')],
  ['fixed:2', 'ab\ncd\n', '61626364'],
  ['delimiter:0d0a', 'ab\n', '61620d0a'],
];

for (const [frame, lines, wire] of FRAMES) {
  test(`sockeye connect --frame ${frame} sends a line a message and shows a message a line`, async (t) => {
    const server = startPython(
      t,
      `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); data = b''
while piece := c.recv(1000): data += piece
for byte in data: c.sendall(bytes([byte]))
c.close(); print(data.hex())`,
    );
    const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
    const client = await run(t, ['connect', `127.0.0.1:${port}`, '--frame', frame], lines);
    const shown = frame === 'json' ? '{"a":1}\n[2]\n' : lines.endsWith('\n') ? lines : `${lines}\n`;
    assert.deepEqual([client.status, client.stdout, client.stderr], [0, shown, '']);
    assert.equal((await server.exit()).stdout.split('\n')[1], wire);
  });
}

test('sockeye connect --frame exits 1 on bytes that are no frame, and on a line that is none', async (t) => {
  const server = await serve(t, [ANYWHERE], '--hello', 'no netstring');
  const broken = await run(t, ['connect', addressOf(server), '--frame', 'netstring']);
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /^sockeye: cannot receive from [^\n]+\n$/);
  const echo = await serve(t, [ANYWHERE]);
  const wrong = await run(t, ['connect', addressOf(echo), '--frame', 'json'], 'no json\n');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /^sockeye: message 1 of the input can't be sent as json: [^\n]+\n$/);
});

test('sockeye serve --frame answers message by message', async (t) => {
  const server = await serve(
    t,
    [ANYWHERE],
    '--frame',
    'length:2',
    '--reply',
    '> ',
    '--greeting',
    'hi',
  );
  const told = await python(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
c.sendall(b'\\0\\3abc\\0\\0\\0'); c.sendall(b'\\1d'); c.shutdown(socket.SHUT_WR)
data = b''
while piece := c.recv(100): data += piece
print(data)`,
    server.ports[0] as number,
  );
  assert.equal(told, String.raw`b'\x00\x02hi\x00\x05> abc\x00\x02> \x00\x03> d'` + '\n');
});

test('sockeye connect --hex shows both directions on stderr and leaves stdout alone', async (t) => {
  const server = await serve(t, [ANYWHERE], '--reply', '>');
  const { stdout, stderr } = await run(
    t,
    ['connect', addressOf(server), '--hex'],
    'hello, sockeye 你\n',
  );
  assert.equal(stdout, '>hello, sockeye 你\n');
  assert.equal(
    stderr,
    `> 00000000  68 65 6c 6c 6f 2c 20 73  6f 63 6b 65 79 65 20 e4  |hello, sockeye .|
> 00000010  bd a0 0a                                          |...|
< 00000000  3e 68 65 6c 6c 6f 2c 20  73 6f 63 6b 65 79 65 20  |>hello, sockeye |
< 00000010  e4 bd a0 0a                                       |....|
`,
  );
});

test('sockeye connect --record writes what --replay sends again, bytes and ends', async (t) => {
  const file = join(temporaryDirectory(t), 'recording');
  const server = await serve(t, [ANYWHERE], '--reply', '> ');
  const input = Buffer.from([0, 0xff, 0x0a]);
  await run(t, ['connect', addressOf(server), '--record', file], input);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const [head, ...pieces] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(head?.['sockeye'], 'recording');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const shown = pieces.map(({ seconds: _seconds, ...rest }) => rest);
  assert.deepEqual(
    shown.filter(({ direction }) => direction === 'sent'),
    [
      { direction: 'sent', base64: 'AP8K' },
      { direction: 'sent', end: true },
    ],
  );
  assert.deepEqual(shown.at(-1), { direction: 'received', end: true });
  const again = await run(t, ['connect', addressOf(server), '--replay', file]);
  assert.deepEqual([again.status, again.stdout], [0, '> \0\ufffd\n']);
});

test('sockeye connect --replay keeps the times and the datagrams of a recording', async (t) => {
  const file = join(temporaryDirectory(t), 'recording');
  const server = await serve(t, ['udp://127.0.0.1:0'], '--reply', '>');
  const text = [
    { sockeye: 'recording', version: 1 },
    { seconds: 0, direction: 'sent', text: 'a' },
    { seconds: 0.1, direction: 'received', text: 'ignored' },
    { seconds: 0.4, direction: 'sent', text: 'b'.repeat(20_000) },
    { seconds: 0.5, direction: 'sent', end: true },
  ];
  const { writeFileSync } = await import('node:fs');
  writeFileSync(file, text.map((line) => JSON.stringify(line)).join('\n'));
  const started = performance.now();
  const { status, stdout } = await run(t, ['connect', addressOf(server), '--replay', file]);
  assert.deepEqual([status, stdout], [0, `>a>${'b'.repeat(20_000)}`]);
  assert.ok(performance.now() - started >= 500);
  writeFileSync(file, '{}\n');
  const wrong = await run(t, ['connect', addressOf(server), '--replay', file]);
  assert.deepEqual([wrong.status, /it is no recording/.test(wrong.stderr)], [1, true]);
});

test('sockeye connect --source connects from that address', async (t) => {
  const server = await serve(t, [ANYWHERE], '--verbose');
  await run(t, ['connect', addressOf(server), '--source', '127.0.0.77'], 'x');
  await server.until(({ stderr }) => /connected tcp:\/\/127\.0\.0\.77:\d+/.test(stderr));
  const elsewhere = await run(t, ['connect', addressOf(server), '--source', '192.0.2.1'], 'x');
  assert.deepEqual([elsewhere.status, /EADDRNOTAVAIL/.test(elsewhere.stderr)], [1, true]);
  const wrong = await run(t, ['connect', addressOf(server), '--source', 'a:b:c'], 'x');
  assert.deepEqual([wrong.status, /cannot read --source/.test(wrong.stderr)], [2, true]);
});

test('sockeye listen --option sets socket options by name', { skip: missing('ss') }, async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE, '--option', 'so_rcvbuf=8192']);
  const ss = new Running(t, 'ss', ['-ltmn', `sport = :${listener.ports[0]}`]);
  assert.match((await ss.exit()).stdout, /rb16384,/);
  listener.child.kill('SIGTERM');
  assert.equal((await listener.exit()).status, 143);
});

for (const [setting, status, message] of [
  ['NO_SUCH=1', 2, /this socket has no such option; sockeye options ADDRESS lists/],
  ['SO_RCVBUF', 2, /cannot set SO_RCVBUF: its value is missing; write --option SO_RCVBUF=65536\n/],
  ['TCP_NODELAY=maybe', 2, /cannot set TCP_NODELAY=maybe/],
  ['SO_TYPE=1', 2, /cannot set SO_TYPE/],
  ['=1', 2, /Expected NAME=VALUE/],
] as const) {
  test(`sockeye connect --option ${setting} says what is wrong with it`, async (t) => {
    const server = await serve(t, [ANYWHERE]);
    const outcome = await run(t, ['connect', addressOf(server), '--option', setting]);
    assert.equal(outcome.status, status);
    assert.match(outcome.stderr, message);
  });
}

test('sockeye connect --json prints an object an event', async (t) => {
  const server = await serve(t, [ANYWHERE]);
  const { stdout } = await run(
    t,
    ['connect', addressOf(server), '--json', '--frame', 'lines'],
    'a\nb\n',
  );
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { type: 'connected', peer: addressOf(server) },
      { type: 'received', bytes: 1, text: 'a' },
      { type: 'received', bytes: 1, text: 'b' },
      { type: 'ended' },
    ],
  );
});

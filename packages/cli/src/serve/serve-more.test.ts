import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  addressOf,
  python,
  run,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';

const SAYS = (word: string): string => `export default async (connection, address) => {
  for await (const piece of connection) await connection.sendall(Buffer.from('${word} ' + address.host + ' ' + piece));
};
`;

test('sockeye serve --module runs the default export on each connection', async (t) => {
  const file = join(temporaryDirectory(t), 'handler.mjs');
  writeFileSync(file, SAYS('one'));
  const server = await serve(t, [ANYWHERE], '--module', file);
  const { stdout } = await run(t, ['connect', addressOf(server)], 'x');
  assert.equal(stdout, 'one 127.0.0.1 x');
});

test('sockeye serve --watch loads the module again; open connections keep theirs', async (t) => {
  const file = join(temporaryDirectory(t), 'handler.mjs');
  writeFileSync(file, SAYS('one'));
  const server = await serve(t, [ANYWHERE], '--module', file, '--watch');
  const open = startPython(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
for line in sys.stdin: c.sendall(line[:-1].encode()); print(c.recv(100).decode())`,
    server.ports[0] as number,
  );
  open.child.stdin.write('a\n');
  await open.until(({ stdout }) => stdout.toString() === 'one 127.0.0.1 a\n');
  writeFileSync(file, SAYS('two'));
  await server.until(({ stderr }) => stderr.includes(`reloaded ${file}`));
  assert.equal((await run(t, ['connect', addressOf(server)], 'b')).stdout, 'two 127.0.0.1 b');
  open.child.stdin.write('c\n');
  await open.until(({ stdout }) => stdout.toString().endsWith('one 127.0.0.1 c\n'));
  writeFileSync(file, 'no JavaScript');
  await server.until(({ stderr }) =>
    /cannot load --module [^\n]*; the one before goes on/.test(stderr),
  );
  assert.equal((await run(t, ['connect', addressOf(server)], 'd')).stdout, 'two 127.0.0.1 d');
});

test('sockeye serve --module says in one line why a module cannot be loaded', async (t) => {
  const directory = temporaryDirectory(t);
  const cases: [string, string, RegExp][] = [
    ['none.mjs', '', /it has no default export; expected: export default async \(connection\)/],
    ['named.mjs', 'export const run = () => {}', /it exports run by name only; expected: export/],
    ['five.mjs', 'export default 5', /its default export is a number; expected: export default/],
    ['broken.mjs', '\nexport default (', /broken\.mjs:2: Unexpected end of input\n/],
    [
      'import.mjs',
      "import './none-such.mjs'",
      /import\.mjs imports \S+none-such\.mjs, which is not/,
    ],
    [
      'package.mjs',
      "import 'no-such-one'",
      /the package no-such-one, which is not .*; npm install/,
    ],
    [
      'throws.mjs',
      '\nthrow new Error("x")',
      /failed while it was loaded \(throws\.mjs:2:7\): Error: x/,
    ],
    ['handler.txt', '', /its name ends in nothing that Node runs; expected \.mjs/],
  ];
  if (Number(process.versions.node.split('.')[0]) < 22) {
    cases.push([
      'handler.ts',
      SAYS('x'),
      /Node \S+ does not run TypeScript; Node 22\.18 or later does/,
    ]);
  }
  for (const [name, text, message] of cases) {
    writeFileSync(join(directory, name), text);
    const { status, stderr } = await run(t, ['serve', '--module', join(directory, name)]);
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: cannot load --module [^\n]+\n$/);
  }
  for (const [path, message] of [
    [join(directory, 'gone.ts'), /there is no such file; expected the path of a module, from \//],
    [directory, /it is a directory; expected a file/],
  ] as const) {
    const { status, stderr } = await run(t, ['serve', '--module', path]);
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: cannot load --module [^\n]+\n$/);
  }
});

test('sockeye serve --module tells of a handler that throws, and goes on', async (t) => {
  const file = join(temporaryDirectory(t), 'handler.mjs');
  writeFileSync(file, "export default () => { throw new Error('my fault'); };");
  const server = await serve(t, [ANYWHERE], '--module', file);
  await run(t, ['connect', addressOf(server)], '');
  await server.until(({ stderr }) =>
    /the session of tcp:\S+ failed: my fault \(handler\.mjs:1:\d+\)/.test(stderr),
  );
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
});

test('sockeye serve --module goes on after a promise that its handler did not await', async (t) => {
  const file = join(temporaryDirectory(t), 'handler.mjs');
  writeFileSync(
    file,
    `export default async (connection) => {
  void Promise.reject(new Error('stray'));
  for await (const piece of connection) void connection.sendall(piece);
};`,
  );
  const server = await serve(t, [ANYWHERE], '--module', file);
  for (const text of ['one', 'two']) {
    assert.equal((await run(t, ['connect', addressOf(server)], text)).stdout, text);
  }
  assert.match(server.stderr, /a promise that \S+handler\.mjs did not await failed: stray\n/);
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
});

/** `join()` enters a room, and gives the socket and the file of its lines. */
const JOIN = `def join():
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
    return s, s.makefile('rb')
`;

test('sockeye serve --chat tells of who joins, leaves and takes a name, and of no false names', async (t) => {
  const server = await serve(t, [ANYWHERE], '--chat');
  const told = await python(
    t,
    `${JOIN}a, fa = join(); print(fa.readline())
a.sendall(b'/nick anna\\n'); print(fa.readline())
b, fb = join(); print(fa.readline()); print(fb.readline())
a.sendall(b'hello\\n'); print(fb.readline())
b.sendall(b'hi\\nanna: forged\\n* forged\\n\\x1b[2J\\n/nick anna\\n/nick\\n/nick bo b\\n')
for _ in range(4): print(fa.readline())
for _ in range(3): print(fb.readline())
b.shutdown(socket.SHUT_WR); print(fa.readline())`,
    server.ports[0] as number,
  );
  assert.deepEqual(told.trim().split('\n'), [
    "b'* you are guest1, 1 is here; /nick NAME changes your name, /help explains\\n'",
    "b'* you are anna\\n'",
    "b'* guest2 joined, 2 are here\\n'",
    "b'* you are guest2, 2 are here; /nick NAME changes your name, /help explains\\n'",
    "b'anna: hello\\n'",
    "b'guest2: hi\\n'",
    "b'guest2: anna: forged\\n'",
    "b'guest2: * forged\\n'",
    "b'guest2: \\\\x1b[2J\\n'",
    'b\'* cannot call you "anna": somebody has that name\\n\'',
    'b\'* cannot call you "": expected /nick NAME\\n\'',
    'b\'* cannot call you "bo b": expected letters, digits, _ . -\\n\'',
    "b'* guest2 left, 1 is here\\n'",
  ]);
});

test('sockeye serve --chat calls a guest by no name that somebody has', async (t) => {
  const server = await serve(t, [ANYWHERE], '--chat');
  const told = await python(
    t,
    `${JOIN}a, fa = join(); fa.readline()
a.sendall(b'/nick guest2\\n/nick guest1\\n/nick guest2\\n'); print(*(fa.readline() for _ in range(3)))
b, fb = join(); print(fb.readline()[:17])`,
    server.ports[0] as number,
  );
  const names = ['guest2', 'guest1', 'guest2'].map((nick) => `b'* you are ${nick}\\n'`);
  assert.equal(told, `${names.join(' ')}\nb'* you are guest3,'\n`);
});

test('sockeye serve --chat keeps who only listens while others speak, and ends a silent room when told to', async (t) => {
  const server = await serve(t, [ANYWHERE], '--chat', '--idle-timeout', '500ms');
  const told = await python(
    t,
    `import time
a = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
b = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
start = time.monotonic()
while time.monotonic() - start < 1.2: b.sendall(b'x\\n'); a.recv(100); time.sleep(0.1)
print('heard all')
while a.recv(100): pass
print(time.monotonic() - start > 1.5)`,
    server.ports[0] as number,
  );
  assert.equal(told, 'heard all\nTrue\n');
});

test('sockeye serve --chat loses no line of what somebody pastes, and puts out nobody who reads', async (t) => {
  const server = await serve(t, [ANYWHERE], '--chat', '--verbose');
  const told = await python(
    t,
    `${JOIN}import threading
(a, fa), (b, fb) = join(), join()
b.sendall('/nick 三文鱼\\n'.encode())
while fa.readline() != '* guest2 is now 三文鱼\\n'.encode(): pass
pasted = [f'line {i}\\n'.encode() for i in range(40_000)]
said = [b'guest1: ' + line for line in pasted]
threading.Thread(target=lambda: a.sendall(b''.join(pasted))).start()
heard = [line for line in (fb.readline() for _ in range(40_002)) if not line.startswith(b'* ')]
print(heard == said)
`,
    server.ports[0] as number,
  );
  assert.equal(told, 'True\n');
  assert.doesNotMatch(server.stderr, /did not read/);
});

test('sockeye serve --chat answers /help to who asks, and to nobody else', async (t) => {
  const server = await serve(t, [ANYWHERE], '--chat');
  const told = await python(
    t,
    `${JOIN}(a, fa), (b, fb) = join(), join()
fa.readline(), fa.readline(), fb.readline()
b.sendall(b'/help\\n/helpless\\n')
print(fb.readline().startswith(b'* each line goes to everyone else; /nick NAME'))
print(fa.readline())
`,
    server.ports[0] as number,
  );
  assert.equal(told, "True\nb'guest2: /helpless\\n'\n");
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMAND, python, Running, startPython, temporaryDirectory } from './command.test.util.ts';

/** Starts an example of the repository's, as its README says. */
function example(t: TestContext, name: string, ...args: string[]): Running {
  const file = fileURLToPath(new URL(`../../../examples/dist/${name}.js`, import.meta.url));
  return new Running(t, process.execPath, [file, ...args]);
}

test('examples/hello-server greets, echoes to many clients and ends a session at quit', async (t) => {
  const server = example(t, 'hello-server');
  const port = await server.until(({ stdout }) => /:(\d+)\n/.exec(stdout.toString())?.[1]);
  const told = await python(
    t,
    `
clients = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10) for _ in range(20)]
files = [c.makefile('rb') for c in clients]
print(set(f.readline() for f in files))
for i, c in enumerate(clients): c.sendall(f'你好 {i}\\n'.encode())
print(all(f.readline().decode() == f'你好 {i}\\n' for i, f in enumerate(files)))
for c in clients: c.sendall(b'quit\\n')
print(set(f.readline() for f in files))`,
    port,
  );
  assert.equal(told, `{b'Hello! Send a line, or "quit".\\n'}\nTrue\n{b''}\n`);
  server.child.kill('SIGTERM');
  const { status, stderr } = await server.exit();
  assert.deepEqual([status, stderr], [0, '']);
});

test('examples/echo-client sends its lines and prints the answers', async (t) => {
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
while data := c.recv(1000):
    for i in range(len(data)): c.sendall(data[i:i + 1])
c.close()`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const client = example(t, 'echo-client', '127.0.0.1', port);
  client.child.stdin.end('你好\nsecond\n');
  const { status, stdout, stderr } = await client.exit();
  assert.deepEqual([status, stdout, stderr], [0, '你好\nsecond\n', '']);
});

const SELF_CONTAINED: readonly [string, string][] = [
  ['udp-both-ways', 'bob got: 你好, Bob\nalice got: 你好, Alice\n'],
  ['unix-socket', 'the server got: through a file name\n'],
];

for (const [name, expected] of SELF_CONTAINED) {
  test(`examples/${name} prints what it is about and ends`, async (t) => {
    const { status, stdout, stderr } = await example(t, name).exit();
    assert.deepEqual([status, stdout, stderr], [0, expected, '']);
  });
}

test('examples/gzip-receiver compresses what send sends, replaces nothing, and gunzip finds it whole', async (t) => {
  const place = temporaryDirectory(t);
  const tree = `${place}/tree`;
  mkdirSync(`${tree}/empty directory`, { recursive: true });
  mkdirSync(`${place}/inbox`);
  writeFileSync(`${place}/secret`, 'example0-1111-2222-3333-4444-5555-6666-7777\n', {
    mode: 0o600,
  });
  writeFileSync(`${tree}/lines`, 'the same again\n'.repeat(200_000));
  writeFileSync(`${tree}/nothing`, '');
  writeFileSync(`${tree}/sparse 字`, 'x');
  truncateSync(`${tree}/sparse 字`, 5_000_000);
  const receiver = example(t, 'gzip-receiver', `${place}/inbox`, `${place}/secret`);
  const address = await receiver.until(
    ({ stdout }) => /^listening on (\S+)\n/.exec(stdout.toString())?.[1],
  );
  const args = [COMMAND, 'send', tree, address, '--secret-file', `${place}/secret`, '--quiet'];
  const first = await new Running(t, process.execPath, args).exit();
  assert.deepEqual([first.status, first.stderr], [0, '']);
  const names = ['lines', 'nothing', 'sparse 字'];
  assert.deepEqual(readdirSync(`${place}/inbox/tree`).toSorted(), [
    'empty directory',
    ...names.map((name) => `${name}.gz`),
  ]);
  for (const name of names) {
    // Compared by cmp, uncompressed by gzip: neither is ours.
    const script = 'gzip -dc "$1" | cmp - "$2"';
    execFileSync('sh', ['-c', script, 'sh', `${place}/inbox/tree/${name}.gz`, `${tree}/${name}`]);
  }
  const again = await new Running(t, process.execPath, args).exit();
  assert.equal(again.status, 1);
  assert.match(again.stderr, /failed tree\/lines: a file has the name \(exists\)/);
  receiver.child.kill('SIGTERM');
  assert.equal((await receiver.exit()).status, 0);
  assert.equal(readdirSync(`${place}/inbox/tree`).length, 4);
});

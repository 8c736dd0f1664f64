import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  COMMAND,
  Running,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';

/** Runs a line of bash, with real pipes, which Node's children don't have; `$S` is the command. */
function shell(t: TestContext, line: string, directory: string): Running {
  const env = { S: `${process.execPath} ${COMMAND}` };
  return new Running(t, 'bash', ['-c', `cd "$0"; ${line}`, directory], env);
}

for (const [from, line] of Object.entries({
  'a pipe': 'cat in | $S connect $A | cat > out',
  'a file': '$S connect $A < in | cat > out',
  'a file, to a file': '$S connect $A < in > out',
})) {
  test(`sockeye connect passes every byte of ${from} on, and the end`, async (t) => {
    const directory = temporaryDirectory(t);
    const data = randomBytes(9_000_017);
    writeFileSync(join(directory, 'in'), data);
    const server = await serve(t, [ANYWHERE]);
    const { status, stderr } = await shell(
      t,
      `A=${addressOf(server)}; ${line}; exit \${PIPESTATUS[0]}`,
      directory,
    ).exit();
    assert.deepEqual([status, stderr], [0, '']);
    assert.ok(readFileSync(join(directory, 'out')).equals(data));
  });
}

test('sockeye connect sends a file from where a shell has left it', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'in'), 'for the shell\nfor the peer\n');
  const server = await serve(t, [ANYWHERE]);
  const line = `{ read line; $S connect ${addressOf(server)}; } < in | cat`;
  assert.equal((await shell(t, line, directory).exit()).stdout, 'for the peer\n');
});

test('sockeye connect --timeout lets a peer that reads slowly have a file', async (t) => {
  const server = startPython(
    t,
    `import time
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
l.bind(('127.0.0.1', 0)); l.listen(); print(l.getsockname()[1])
c, _ = l.accept(); total = 0
while data := c.recv(65536):
  total += len(data)
  if total < 4_000_000: time.sleep(len(data) / 2_000_000)
print('read', total)`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'in'), Buffer.alloc(9_000_000));
  const line = `$S connect --timeout 1500ms 127.0.0.1:${port} < in`;
  const { status, stderr } = await shell(t, line, directory).exit();
  assert.deepEqual([status, stderr], [0, '']);
  await server.until(({ stdout }) => stdout.includes('read 9000000'));
});

test('sockeye connect takes no more from the peer than the pipe on stdout does', async (t) => {
  const server = startPython(
    t,
    `import select
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); c.setblocking(False); sent = 0
while sent < 200_000_000 and select.select([], [c], [], 1)[1]: sent += c.send(bytes(65536))
print('sent', sent); c.setblocking(True); c.shutdown(socket.SHUT_WR)`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const directory = temporaryDirectory(t);
  const line = `mkfifo go; $S connect 127.0.0.1:${port} < /dev/null | { read x < go; wc -c; }`;
  const client = shell(t, line, directory);
  const [, sent] = await server.until(({ stdout }) => /sent (\d+)\n/.exec(stdout.toString()));
  assert.ok(Number(sent) < 50_000_000, `${sent} bytes were taken`);
  shell(t, 'echo > go', directory);
  assert.equal(Number((await client.exit()).stdout), Number(sent));
});

test('sockeye connect ends silently when the reader of its pipe has gone', async (t) => {
  const server = await serve(t, [ANYWHERE], '--random');
  const line = `$S connect ${addressOf(server)} < /dev/null | head -c 1 > /dev/null; echo \${PIPESTATUS[0]}`;
  const { stdout, stderr } = await shell(t, line, temporaryDirectory(t)).exit();
  assert.deepEqual([stdout, stderr], ['141\n', '']);
});

test('sockeye connect exits 130 on SIGINT while bytes of a pipe are on their way', async (t) => {
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); c.recv(1000); print('received')
while c.recv(1_000_000): pass`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const line = `mkfifo in; yes > in & exec $S connect 127.0.0.1:${port} < in`;
  const client = shell(t, line, temporaryDirectory(t));
  await server.until(({ stdout }) => stdout.includes('received'));
  client.child.kill('SIGINT');
  assert.equal((await client.exit()).status, 130);
});

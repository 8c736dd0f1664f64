import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  addressOf,
  COMMAND,
  missing,
  python,
  Running,
  run,
  startListening,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const ANYWHERE = '127.0.0.1:0';

test('sockeye listen joins stdin and stdout to one peer and ends with 0', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE]);
  listener.child.stdin.end('from the listener');
  const client = await run(t, ['connect', addressOf(listener)], 'from the client');
  assert.deepEqual([client.status, client.stdout], [0, 'from the listener']);
  const { status, stdout, stderr } = await listener.exit();
  assert.deepEqual([status, stdout], [0, 'from the client']);
  assert.match(stderr, /^listening on [^\n]+\nconnected tcp:[^\n]+\n$/);
});

test('sockeye listen answers after the peer has ended its side', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE]);
  const client = startPython(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
c.sendall(b'question'); c.shutdown(socket.SHUT_WR)
data = b''
while piece := c.recv(1000): data += piece
print(data)`,
    listener.ports[0] as number,
  );
  await listener.until(({ stdout }) => stdout.toString() === 'question');
  listener.child.stdin.write('the ');
  listener.child.stdin.end('answer');
  assert.equal((await listener.exit()).status, 0);
  assert.equal((await client.exit()).stdout, "b'the answer'\n");
});

test('sockeye listen tells the end of its stdin at once and goes on receiving', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE]);
  listener.child.stdin.end();
  const told = await python(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
print(c.recv(10)); c.sendall(b'after the end'); c.close()`,
    listener.ports[0] as number,
  );
  assert.equal(told, "b''\n");
  const { status, stdout } = await listener.exit();
  assert.deepEqual([status, stdout], [0, 'after the end']);
});

test('sockeye listen --no-shutdown does not tell the end of its stdin', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE, '--no-shutdown']);
  listener.child.stdin.end('all');
  const told = await python(
    t,
    `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
print(c.recv(10)); c.settimeout(0.3)
try: print(c.recv(10))
except TimeoutError: print('no end')`,
    listener.ports[0] as number,
  );
  assert.equal(told, "b'all'\nno end\n");
  assert.equal((await listener.exit()).status, 0);
});

test('sockeye listen refuses a second peer', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE]);
  const client = startPython(
    t,
    `a = ('127.0.0.1', int(sys.argv[1]))
c = socket.create_connection(a, 20); c.sendall(b'x'); sys.stdin.readline()
try: socket.create_connection(a, 20)
except ConnectionRefusedError: print('refused')`,
    listener.ports[0] as number,
  );
  await listener.until(({ stdout }) => stdout.includes('x'));
  client.child.stdin.write('now\n');
  assert.equal((await client.exit()).stdout, 'refused\n');
});

test('sockeye listen passes every byte, to a slow reader', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE]);
  listener.child.stdout.removeAllListeners('data');
  listener.child.stdout.pause();
  listener.child.stdin.end();
  const data = randomBytes(20_000_000);
  const client = spawn(process.execPath, [COMMAND, 'connect', addressOf(listener)]);
  t.after(() => client.kill('SIGKILL'));
  client.stdin.end(data);
  const hash = createHash('sha256');
  for await (const chunk of listener.child.stdout as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await nextTurn();
  }
  assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'));
});

test('sockeye listen --keep takes one peer after another and gives its stdin to the one there', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE, '--keep']);
  const talk = (word: string): Promise<string> =>
    python(
      t,
      `c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
c.sendall(sys.argv[2].encode() + b'\\n'); print(c.recv(100)); c.close()`,
      listener.ports[0] as number,
      word,
    );
  for (const word of ['first', 'second']) {
    const told = talk(word);
    await listener.until(({ stdout }) => stdout.includes(word));
    listener.child.stdin.write(`to ${word}`);
    assert.equal(await told, `b'to ${word}'\n`);
  }
  listener.child.kill('SIGTERM');
  const { status, stdout } = await listener.exit();
  assert.deepEqual([status, stdout], [0, 'first\nsecond\n']);
});

test('sockeye listen --keep goes on after a peer that was reset, and after the end of its stdin', async (t) => {
  const listener = await startListening(t, ['listen', ANYWHERE, '--keep']);
  listener.child.stdin.end();
  const told = await python(
    t,
    `import struct
a = ('127.0.0.1', int(sys.argv[1]))
c = socket.create_connection(a, 20)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.sendall(b'lost'); c.close()
while True:
    c = socket.create_connection(a, 20)
    try: c.sendall(b'kept'); print(c.recv(10)); c.close(); break
    except ConnectionResetError: pass`,
    listener.ports[0] as number,
  );
  assert.equal(told, "b''\n");
  await listener.until(({ stdout }) => stdout.includes('kept'));
  listener.child.kill('SIGINT');
  assert.equal((await listener.exit()).status, 0);
});

test('sockeye listen exits 130 on SIGINT before anybody came, and removes its socket file', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const listener = await startListening(t, ['listen', `unix://${path}`]);
  listener.child.kill('SIGINT');
  assert.equal((await listener.exit()).status, 130);
  assert.equal(existsSync(path), false);
});

test('sockeye listen --timeout exits 124 when nobody comes', async (t) => {
  const { status, stderr } = await run(t, ['listen', ANYWHERE, '--timeout', '200ms', '--quiet']);
  assert.deepEqual([status, stderr], [124, 'sockeye: nobody came for 200ms\n']);
});

test('sockeye listen udp:// talks to the first who speaks and ends after its last datagram', async (t) => {
  const listener = await startListening(t, ['listen', `udp://${ANYWHERE}`, '--timeout', '5s']);
  listener.child.stdin.end('answer');
  const told = await python(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20)
s.connect(('127.0.0.1', int(sys.argv[1])))
s.send(b'one '); print(s.recv(100)); s.send(b'two')`,
    listener.ports[0] as number,
  );
  assert.equal(told, "b'answer'\n");
  const { status, stdout } = await listener.exit();
  assert.deepEqual([status, stdout], [0, 'one two']);
});

test('sockeye listen udp:// --keep takes the datagrams of many clients at once', async (t) => {
  const listener = await startListening(t, ['listen', `udp://${ANYWHERE}`, '--keep']);
  listener.child.stdin.end();
  await python(
    t,
    `a = ('127.0.0.1', int(sys.argv[1]))
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
for n, c in enumerate(clients): c.sendto(b'client %d\\n' % n, a)`,
    listener.ports[0] as number,
  );
  await listener.until(({ stdout }) => stdout.toString().split('\n').length > 50);
  listener.child.kill('SIGTERM');
  const { status, stdout } = await listener.exit();
  assert.equal(status, 0);
  assert.equal(new Set(stdout.trim().split('\n')).size, 50);
});

for (const address of ['unix', 'unix-seqpacket', 'unix-dgram']) {
  test(`sockeye listen ${address}:// and sockeye connect understand each other`, async (t) => {
    const where = `${address}://${join(temporaryDirectory(t), 's')}`;
    const listener = await startListening(t, ['listen', where, '--timeout', '5s']);
    listener.child.stdin.end('bytes \0\xff back');
    const client = await run(t, ['connect', where], 'bytes there');
    assert.equal(client.stdout, 'bytes \0\xff back');
    assert.equal((await listener.exit()).stdout, 'bytes there');
  });
}

const FOREIGN: readonly [string, (port: number) => string[]][] = [
  ['nc', (port) => ['-N', '127.0.0.1', String(port)]],
  ['ncat', (port) => ['127.0.0.1', String(port)]],
  ['socat', (port) => ['-', `TCP:127.0.0.1:${port}`]],
];

for (const [program, args] of FOREIGN) {
  test(`sockeye listen talks to ${program}`, { skip: missing(program) }, async (t) => {
    const listener = await startListening(t, ['listen', ANYWHERE]);
    listener.child.stdin.end('从 sockeye\n');
    const client = new Running(t, program, args(listener.ports[0] as number));
    client.child.stdin.end(`从 ${program}\n`);
    assert.equal((await client.exit()).stdout, '从 sockeye\n');
    const { status, stdout } = await listener.exit();
    assert.deepEqual([status, stdout], [0, `从 ${program}\n`]);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection } from '../socket/index.ts';
import { needs, PythonPeer, TemporaryDirectory, until } from '../testing/index.ts';
import { ServerProcess } from './server-process.test.support.ts';
import { activatedSockets, notifySystemd } from './systemd.ts';

// What systemd does for a service: listening sockets from descriptor 3 on, the rest in the
// environment, and then exec, so that the process keeps its id.
const LAUNCHER = `
import os, socket, sys
listeners = []
for _ in range(2):
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen()
    listeners.append(s)
copies = [os.dup(s.fileno()) for s in listeners]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(copies)]
os.closerange(3, 100)
for i, fd in enumerate(high): os.dup2(fd, 3 + i, inheritable=True)
os.closerange(100, 110)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='web:admin')
os.execv(sys.argv[1], sys.argv[1:])
`;

test('activatedSockets() serves on what systemd passed, under its names, once', async () => {
  await using server = new ServerProcess(
    `
    const sockets = activatedSockets();
    for (const { name, socket } of sockets) {
      await serve(socket, (connection) => connection.sendall(Buffer.from(name)));
    }
    say({
      ports: sockets.map(({ socket }) => socket.getsockname().port),
      inheritable: sockets.some(({ socket }) => socket.getinheritable()),
      again: activatedSockets().length,
      left: Object.keys(process.env).filter((key) => key.startsWith('LISTEN_')),
    });
    `,
    ['python3', '-c', LAUNCHER],
  );
  const { ports, inheritable, again, left } = await server.hear<{
    ports: number[];
    inheritable: boolean;
    again: number;
    left: string[];
  }>();
  assert.deepEqual({ inheritable, again, left }, { inheritable: false, again: 0, left: [] });
  for (const [i, name] of ['web', 'admin'].entries()) {
    const client = await createConnection({ host: '127.0.0.1', port: Number(ports[i]) });
    assert.equal(String(await client.recv(10)), name);
    client.close();
  }
});

test(
  "activatedSockets() takes what systemd's own systemd-socket-activate passes",
  await needs('systemd-socket-activate'),
  async () => {
    using directory = new TemporaryDirectory();
    const path = directory.file('socket');
    await using server = new ServerProcess(
      `
      const [{ name, socket }] = activatedSockets();
      await serve(socket, (connection) => connection.sendall(Buffer.from(name)));
      `,
      ['systemd-socket-activate', '--listen', path, '--fdname', 'web'],
    );
    await until(() => server.errors.includes('Listening on'), 'systemd-socket-activate listens');
    for (let i = 0; i < 2; i++) {
      const client = await createConnection({ path });
      assert.equal(String(await client.recv(10)), 'web');
      client.close();
    }
  },
);

test('activatedSockets() leaves the descriptors of another process alone', () => {
  const env = { LISTEN_PID: String(process.pid + 1), LISTEN_FDS: '1' };
  assert.deepEqual(activatedSockets(env), []);
  assert.deepEqual(activatedSockets({}), []);
  assert.deepEqual(env, { LISTEN_PID: String(process.pid + 1), LISTEN_FDS: '1' });
});

for (const kind of ['path', 'abstract'] as const) {
  test(`notifySystemd() tells a manager that listens at a socket with ${kind} name`, async () => {
    using directory = new TemporaryDirectory();
    const name = kind === 'path' ? directory.file('notify') : `@sockeye-test-${process.pid}`;
    await using manager = new PythonPeer(
      `
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      s.bind(args[0].replace('@', '\\0', 1) if args[0].startswith('@') else args[0])
      say('bound')
      for _ in range(2): say(s.recv(1000).decode())
      `,
      name,
    );
    assert.equal(await manager.hear(), 'bound');
    const env = { NOTIFY_SOCKET: name };
    assert.equal(notifySystemd({ READY: '1', STATUS: 'serving' }, env), true);
    assert.equal(notifySystemd({ STOPPING: '1' }, env), true);
    assert.equal(await manager.hear(), 'READY=1\nSTATUS=serving\n');
    assert.equal(await manager.hear(), 'STOPPING=1\n');
  });
}

test('notifySystemd() is false when nobody wants to know, and throws when nobody is there', () => {
  assert.equal(notifySystemd({ READY: '1' }, {}), false);
  assert.throws(() => notifySystemd({ READY: '1' }, { NOTIFY_SOCKET: '/nonexistent/notify' }), {
    code: 'ENOENT',
  });
});

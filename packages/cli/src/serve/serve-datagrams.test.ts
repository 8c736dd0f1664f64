import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, python, Running, serve } from '../command.test.util.ts';

const UDP = `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)
server = ('127.0.0.1', int(sys.argv[1]))
def ask(data, to=None):
    s.sendto(data, to or server); return s.recvfrom(70000)[0]
`;

test('sockeye serve udp:// answers each datagram once, to whoever sent it', async (t) => {
  const { ports } = await serve(t, ['udp://127.0.0.1:0'], '--reply', '收到: ');
  const told = await python(
    t,
    `${UDP}
print(ask('你好'.encode()).decode())
print(ask('好'.encode()[:2]))
print(ask(b'').decode())
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
for i, c in enumerate(clients): c.settimeout(10); c.sendto(str(i).encode(), server)
print(all(c.recv(100).decode() == f'收到: {i}' for i, c in enumerate(clients)))
`,
    ports[0] as number,
  );
  assert.equal(told, "收到: 你好\nb'\\xe6\\x94\\xb6\\xe5\\x88\\xb0: \\xe5\\xa5'\n收到: \nTrue\n");
});

test('sockeye serve udp:// echoes the largest datagram whole', async (t) => {
  const { ports } = await serve(t, ['udp://127.0.0.1:0']);
  const program = `${UDP}
data = bytes(range(256)) * 256
print(ask(data[:65507]) == data[:65507])`;
  assert.equal(await python(t, program, ports[0] as number), 'True\n');
});

test('sockeye serve udp:// sends the greeting for an empty datagram and nothing for the quit word', async (t) => {
  const { ports } = await serve(t, ['udp://127.0.0.1:0'], '--greeting', 'hi', '--quit', 'quit');
  const program = `${UDP}
print(ask(b''), ask(b'one'))
s.sendto(b'quit', server)
print(ask(b'two'))`;
  assert.equal(await python(t, program, ports[0] as number), "b'hi\\n' b'one'\nb'two'\n");
});

test('sockeye serve udp:// answers a datagram that has the quit word among other lines as a whole', async (t) => {
  const { ports } = await serve(t, ['udp://127.0.0.1:0'], '--quit', 'quit');
  const program = `${UDP}
print(ask(b'one\\ntwo\\nquit\\nthree\\n'), ask(b'quitting\\n'))`;
  const told = "b'one\\ntwo\\nquit\\nthree\\n' b'quitting\\n'\n";
  assert.equal(await python(t, program, ports[0] as number), told);
});

test('sockeye serve udp:// goes on when a reply is too long to send', async (t) => {
  const server = await serve(t, ['udp://127.0.0.1:0'], '--reply', 'x'.repeat(1000));
  const program = `${UDP}
s.sendto(bytes(65507), server)
print(ask(b'!')[-1:])`;
  assert.equal(await python(t, program, server.ports[0] as number), "b'!'\n");
  await server.until(({ stderr }) => /dropped a datagram to udp:.*EMSGSIZE/.test(stderr));
});

test('sockeye serve udp:// talks to nc', { skip: missing('nc') }, async (t) => {
  const { ports } = await serve(t, ['udp://127.0.0.1:0'], '--reply', 'got ');
  const nc = new Running(t, 'nc', ['-u', '127.0.0.1', String(ports[0])]);
  nc.child.stdin.write('你好\n');
  await nc.until(({ stdout }) => stdout.toString() === 'got 你好\n');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ECONNREFUSED,
  SHUT_WR,
  SO_LINGER,
  SO_REUSEADDR,
  SOL_SOCKET,
  TCP_NODELAY,
  IPPROTO_TCP,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { listening, LOOPBACK, receiveAll, receiveExactly, tcpPair } from './sockets.test.util.ts';

const python = await needs('python3');

test(
  'connect() to a Python server: a greeting, a prefixed reply, and its FIN',
  python,
  async () => {
    await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, address = server.accept()
    say(address)
    connection.sendall(b'welcome')
    connection.sendall(b'> ' + receive_exactly(connection, 4))
    connection.close()
  `);
    using client = new Socket();
    await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
    const { host, port } = client.getsockname();
    assert.deepEqual(await peer.hear(), [host, port]);
    assert.equal((await receiveExactly(client, 7)).toString(), 'welcome');
    await client.sendall(Buffer.from('quit'));
    assert.equal((await receiveAll(client)).toString(), '> quit');
    await peer.end();
  },
);

test('accept() gives a Python client and its address', python, async () => {
  using listener = listening();
  await using peer = new PythonPeer(
    `
    client = socket.create_connection(('127.0.0.1', args[0]))
    say(client.getsockname())
    client.sendall('你好'.encode())
    client.shutdown(socket.SHUT_WR)
    say(client.recv(100).decode())
  `,
    listener.getsockname().port,
  );
  const [connection, address] = await listener.accept();
  using _ = connection;
  assert.deepEqual(await peer.hear(), [address.host, address.port]);
  assert.deepEqual(connection.getpeername(), address);
  assert.deepEqual(connection.getsockname(), listener.getsockname());
  await connection.sendall(await receiveAll(connection));
  assert.equal(await peer.hear(), '你好');
});

test('recv() puts together a Chinese character that was split in two sends', python, async () => {
  using listener = listening();
  await using peer = new PythonPeer(
    `
    client = socket.create_connection(('127.0.0.1', args[0]))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = '中'.encode()
    client.sendall(text[:1])
    hear()
    client.sendall(text[1:])
    client.close()
  `,
    listener.getsockname().port,
  );
  const [connection] = await listener.accept();
  using _ = connection;
  const first = await connection.recv(10);
  assert.equal(first.length, 1);
  peer.say('go on');
  assert.equal(Buffer.concat([first, await receiveAll(connection)]).toString(), '中');
});

test('recv() resolves to an empty buffer after the FIN, again and again', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('last'));
  pair.client.shutdown(SHUT_WR);
  assert.equal((await receiveAll(pair.server)).toString(), 'last');
  assert.equal((await pair.server.recv(10)).length, 0);
  assert.equal(await pair.server.recvInto(Buffer.alloc(4)), 0);
  await pair.server.sendall(Buffer.from('still'));
  assert.equal((await pair.client.recv(10)).toString(), 'still');
});

test('recv() delivers what came before a reset, then ECONNRESET', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('before'));
  const first = await pair.server.recv(3);
  // Lingering for 0 seconds makes close() a reset (socket(7)).
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
  pair.client.close();
  assert.equal(first.toString(), 'bef');
  assert.equal((await pair.server.recv(10)).toString(), 'ore');
  const error = await rejection(pair.server.recv(3));
  assert.equal(error.code, 'ECONNRESET');
  assert.equal((await pair.server.recv(3)).length, 0);
});

test('a pending recv() rejects with ECONNRESET when the peer resets', async () => {
  using pair = await tcpPair();
  const pending = rejection(pair.server.recv(3));
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
  pair.client.close();
  const error = await pending;
  assert.equal(error.code, 'ECONNRESET');
  assert.match(error.message, /^recv ECONNRESET: .+ \(errno \d+\)$/);
});

test('send() after a reset rejects with EPIPE, and no SIGPIPE ends the process', async () => {
  using pair = await tcpPair();
  pair.client.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
  const reset = rejection(pair.server.recv(1));
  pair.client.close();
  await reset;
  assert.equal((await rejection(pair.server.send(Buffer.from('x')))).code, 'EPIPE');
  assert.equal((await rejection(pair.server.sendall(Buffer.from('x')))).code, 'EPIPE');
  assert.throws(() => pair.server.sendallSync(Buffer.from('x')), { code: 'EPIPE', bytesSent: 0 });
});

test('connect() to a port where nobody listens rejects with ECONNREFUSED and the address', async () => {
  const listener = listening();
  const address = listener.getsockname();
  listener.close();
  using client = new Socket();
  const error = await rejection<Error & Record<string, unknown>>(client.connect(address));
  assert.equal(error['code'], 'ECONNREFUSED');
  assert.equal(error['errno'], ECONNREFUSED);
  assert.equal(error['syscall'], 'connect');
  assert.deepEqual(error['address'], address);
  assert.match(
    error.message,
    new RegExp(`^connect ECONNREFUSED 127.0.0.1:${address.port}: .*errno ${ECONNREFUSED}`),
  );
});

test('connect() can be tried again on the same socket after a refusal', async () => {
  const gone = listening();
  const refused = gone.getsockname();
  gone.close();
  using listener = listening();
  using client = new Socket();
  assert.equal((await rejection(client.connect(refused))).code, 'ECONNREFUSED');
  await client.connect(listener.getsockname());
  const [server] = await listener.accept();
  using _ = server;
  await client.sendall(Buffer.from('x'));
  assert.equal((await server.recv(1)).toString(), 'x');
});

test('connect() resolves a host name', async () => {
  using listener = listening();
  using client = new Socket();
  await client.connect({ host: 'localhost', port: listener.getsockname().port });
  assert.equal(client.getpeername().host, '127.0.0.1');
});

test('connectEx() gives 0, and the errno of a failure', async () => {
  const listener = listening();
  const address = listener.getsockname();
  using first = new Socket();
  assert.equal(await first.connectEx(address), 0);
  listener.close();
  using second = new Socket();
  assert.equal(await second.connectEx(address), ECONNREFUSED);
});

test('sendall() moves 8 MiB intact to a slow reader and back', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    connection.sendall(receive_exactly(connection, 8 << 20))
    connection.close()
  `);
  using client = new Socket();
  await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
  const data = Buffer.alloc(8 << 20);
  for (let i = 0; i < data.length; i += 4) data.writeUInt32LE(i, i);
  const [received] = await Promise.all([receiveAll(client), client.sendall(data)]);
  assert.ok(received.equals(data));
});

test('shutdown(SHUT_WR) sends what sendall() queued in the same turn first', async () => {
  using pair = await tcpPair();
  const data = Buffer.alloc(1 << 20, 'z');
  const sent = pair.client.sendall(Buffer.from('queued'));
  pair.client.shutdown(SHUT_WR);
  await sent;
  assert.equal((await receiveAll(pair.server)).toString(), 'queued');
  using other = await tcpPair();
  const receiving = receiveAll(other.server);
  await other.client.sendall(data);
  other.client.shutdown(SHUT_WR);
  assert.equal((await receiving).length, data.length);
});

test('close() sends what sendall() queued in the same turn first', async () => {
  using pair = await tcpPair();
  const data = Buffer.alloc(30_000, 'z');
  const sent = Promise.all([pair.client.sendall(data), pair.client.sendall(data)]);
  pair.client.close();
  await sent;
  assert.equal((await receiveAll(pair.server)).length, 60_000);
});

test('bind() to a port in use throws EADDRINUSE with the address', () => {
  using listener = listening();
  using second = new Socket();
  const address = listener.getsockname();
  assert.throws(() => second.bind(address), {
    name: 'SocketError',
    code: 'EADDRINUSE',
    syscall: 'bind',
    address,
  });
});

test('bind() to a port that an ended connection still holds says what can be done about it', async () => {
  using listener = listening();
  using client = new Socket();
  client.bind({ host: '127.0.0.1', port: 0 });
  const own = client.getsockname();
  await client.connect(listener.getsockname());
  const [accepted] = await listener.accept();
  client.shutdown(SHUT_WR);
  await receiveAll(accepted);
  accepted.close();
  await receiveAll(client);
  client.close();
  using plain = new Socket();
  assert.throws(() => plain.bind(own), { hint: /set SO_REUSEADDR before bind/ });
  using reusing = new Socket();
  reusing.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  assert.throws(() => reusing.bind(own), {
    code: 'EADDRINUSE',
    hint: /wait a minute or take another port/,
  });
});

test('getsockopt() reads what setsockopt() wrote', async () => {
  using pair = await tcpPair();
  pair.client.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
  assert.equal(pair.client.getsockopt(IPPROTO_TCP as number, TCP_NODELAY as number), 1);
  pair.client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 0);
  assert.equal(
    pair.client.getsockopt(IPPROTO_TCP as number, TCP_NODELAY as number, 4).readInt32LE(),
    0,
  );
});

test('listen() without bind() gets a port of its own', () => {
  using listener = new Socket();
  listener.listen();
  assert.ok(listener.getsockname().port > 0);
  assert.notDeepEqual(listener.getsockname(), LOOPBACK);
});

test('a peer that dies in the middle of a message harms no other connection', python, async () => {
  using listener = listening();
  await using peer = new PythonPeer(
    `
    client = socket.create_connection(('127.0.0.1', args[0]))
    client.sendall(b'half a mess')
    hear()
    os.kill(os.getpid(), 9)
  `,
    listener.getsockname().port,
  );
  const [dying] = await listener.accept();
  using _ = dying;
  using pair = await tcpPair();
  assert.equal((await receiveExactly(dying, 11)).toString(), 'half a mess');
  const end = dying.recv(10);
  peer.say('die');
  await pair.client.sendall(Buffer.from('alive'));
  assert.equal((await pair.server.recv(10)).toString(), 'alive');
  assert.equal((await end).length, 0);
});

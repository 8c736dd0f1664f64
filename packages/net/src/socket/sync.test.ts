import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { AF_INET, ECONNREFUSED, MSG_WAITALL, SOCK_DGRAM } from '../constants/index.ts';
import { needs, PythonPeer, TemporaryDirectory } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { listening, LOOPBACK, receiveExactly, tcpPair, unixPair } from './sockets.test.util.ts';

const python = await needs('python3');

test('the Sync twins talk to a Python server', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    for _ in range(2):
        connection, _ = server.accept()
        while data := connection.recv(100):
            connection.sendall(data)
        connection.close()
  `);
  const address = { host: '127.0.0.1', port: await peer.hear<number>() };
  using client = new Socket();
  client.connectSync(address);
  client.sendallSync(Buffer.from('one'));
  assert.equal(client.recvSync(100).toString(), 'one');
  assert.equal(client.sendSync(Buffer.from('two')), 3);
  const buffer = Buffer.alloc(10);
  assert.equal(client.recvIntoSync(buffer), 3);
  assert.equal(buffer.toString('latin1', 0, 3), 'two');
  client.close();
  using again = new Socket();
  assert.equal(again.connectExSync({ ...address, host: 'localhost' }), 0);
  again.sendallSync(Buffer.from('three'));
  assert.deepEqual(again.recvfromSync(100), [Buffer.from('three'), null]);
});

test('acceptSync() takes a Python client', python, async () => {
  using listener = listening();
  listener.settimeout(10);
  await using peer = new PythonPeer(
    `
    client = socket.create_connection(('127.0.0.1', args[0]))
    client.sendall(b'hi')
    say(client.getsockname()[1])
  `,
    listener.getsockname().port,
  );
  const [connection, { port }] = listener.acceptSync();
  using _ = connection;
  assert.equal(connection.recvSync(10).toString(), 'hi');
  assert.equal(await peer.hear(), port);
});

test('recvfromSync(), recvfromIntoSync() and sendtoSync() on datagrams', () => {
  using a = new Socket(AF_INET, SOCK_DGRAM);
  a.bind(LOOPBACK);
  a.settimeout(5);
  assert.equal(a.sendtoSync(Buffer.from('me'), a.getsockname()), 2);
  assert.deepEqual(a.recvfromSync(10), [Buffer.from('me'), a.getsockname()]);
  a.sendtoSync(Buffer.from('you'), { host: 'localhost', port: a.getsockname().port });
  const buffer = Buffer.alloc(3);
  assert.deepEqual(a.recvfromIntoSync(buffer), [3, a.getsockname()]);
});

test('connectExSync() gives the errno', () => {
  const gone = listening();
  const address = gone.getsockname();
  gone.close();
  using client = new Socket();
  assert.equal(client.connectExSync(address), ECONNREFUSED);
});

test('recvSync() lets the receives that wait have their bytes first', async () => {
  using pair = unixPair();
  const first = pair.server.recv(1);
  const second = pair.server.recv(1);
  pair.client.sendallSync(Buffer.from('123'));
  assert.equal(pair.server.recvSync(10).toString(), '3');
  assert.equal((await first).toString(), '1');
  assert.equal((await second).toString(), '2');
});

test('recvSync() first sends what sendall() queued in the turn, on this socket and others', async () => {
  using pair = unixPair();
  using other = unixPair();
  pair.client.settimeout(5);
  other.server.settimeout(5);
  pair.server.settimeout(5);
  const sends = [pair.client.sendall(Buffer.from('a')), other.client.sendall(Buffer.from('b'))];
  assert.equal(pair.server.recvSync(1).toString(), 'a');
  assert.equal(other.server.recvSync(1).toString(), 'b');
  await Promise.all(sends);
});

test('sendallSync() behind a large sendall() blocks until both are out', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    say(len(receive_exactly(connection, (8 << 20) + 3)))
  `);
  using client = new Socket();
  await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
  const large = client.sendall(Buffer.alloc(8 << 20));
  client.sendallSync(Buffer.from('end'));
  await large;
  assert.equal(await peer.hear(), (8 << 20) + 3);
});

test('recvSync() lets more than a turn’s budget go first without spinning', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    connection.sendall(bytes(40 * 16384) + b'mine')
    hear()
  `);
  using client = new Socket();
  await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
  // 40 receives of 16 KiB are more than 256 KiB; they have their bytes in the one call below.
  const receives = Array.from({ length: 40 }, () => client.recv(16_384, MSG_WAITALL as number));
  client.settimeout(10);
  assert.equal(client.recvSync(4).toString(), 'mine');
  for (const data of await Promise.all(receives)) assert.equal(data.length, 16_384);
});

test('recvSync() goes on with the sendall() whose answer it waits for', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    receive_exactly(connection, 8 << 20)
    connection.sendall(b'thanks')
  `);
  using client = new Socket();
  await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
  client.settimeout(10);
  const sending = client.sendall(Buffer.alloc(8 << 20));
  assert.equal(client.recvSync(6).toString(), 'thanks');
  await sending;
});

test('sendall() after Sync calls keeps the bytes’ order', async () => {
  using pair = await tcpPair();
  pair.client.sendSync(Buffer.from('1'));
  const sending = pair.client.sendall(Buffer.from('2'));
  pair.client.sendallSync(Buffer.from('3'));
  await sending;
  assert.equal((await receiveExactly(pair.server, 3)).toString(), '123');
});

test('sendfileSync() of more than a turn’s budget ends', python, async () => {
  using directory = new TemporaryDirectory();
  writeFileSync(directory.file('large'), Buffer.alloc(1 << 20, 'f'));
  await using peer = new PythonPeer(`
    server = socket.create_server(('127.0.0.1', 0))
    say(server.getsockname()[1])
    connection, _ = server.accept()
    say(len(receive_exactly(connection, 1 << 20)))
  `);
  using client = new Socket();
  await client.connect({ host: '127.0.0.1', port: await peer.hear<number>() });
  assert.equal(client.sendfileSync(directory.file('large')), 1 << 20);
  assert.equal(await peer.hear(), 1 << 20);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, SOCK_DGRAM } from '../constants/index.ts';
import { needs, PythonPeer } from '../testing/index.ts';
import { Socket } from './socket.ts';

const ipv6 = await needs('ipv6');
const python = await needs('ipv6', 'python3');

test('AF_INET6 addresses carry flowinfo and scopeId both ways, with Python', python, async () => {
  await using peer = new PythonPeer(`
    server = socket.create_server(('::1', 0), family=socket.AF_INET6)
    say(server.getsockname()[1])
    connection, address = server.accept()
    say(address)
    connection.sendall(connection.recv(10))
  `);
  using client = new Socket(AF_INET6);
  const port = await peer.hear<number>();
  await client.connect({ host: '::1', port });
  const own = client.getsockname();
  assert.deepEqual(own, { host: '::1', port: own.port, flowinfo: 0, scopeId: 0 });
  assert.deepEqual(client.getpeername(), { host: '::1', port, flowinfo: 0, scopeId: 0 });
  assert.deepEqual(await peer.hear(), ['::1', own.port, 0, 0]);
  await client.sendall(Buffer.from('six'));
  assert.equal((await client.recv(10)).toString(), 'six');
});

test('a dual-stack listener accepts IPv4 as a mapped address', ipv6, async () => {
  using listener = new Socket(AF_INET6);
  listener.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, false);
  listener.bind({ host: '', port: 0 });
  listener.listen();
  using client = new Socket();
  const [[server, address]] = await Promise.all([
    listener.accept(),
    client.connect({ host: '127.0.0.1', port: listener.getsockname().port }),
  ]);
  using _ = server;
  assert.equal(address.host, '::ffff:127.0.0.1');
});

test('recvfrom() gives an IPv6 sender', ipv6, async () => {
  using a = new Socket(AF_INET6, SOCK_DGRAM);
  a.bind({ host: '::1', port: 0 });
  await a.sendto(Buffer.from('x'), a.getsockname());
  assert.deepEqual(await a.recvfrom(10), [Buffer.from('x'), a.getsockname()]);
});

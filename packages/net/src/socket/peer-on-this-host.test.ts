import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET6 } from '../constants/index.ts';
import { hasPeerOnThisHost } from './peer-on-this-host.ts';
import { Socket } from './socket.ts';
import { tcpPair, unixPair } from './sockets.test.util.ts';

test('hasPeerOnThisHost() is true of both ends of a connection over loopback', async () => {
  using pair = await tcpPair();
  assert.ok(hasPeerOnThisHost(pair.client.fileno()));
  assert.ok(hasPeerOnThisHost(pair.server.fileno()));
});

test('hasPeerOnThisHost() is true from one loopback address to another, IPv4 in IPv6 included', async () => {
  using listener = new Socket(AF_INET6);
  listener.bind({ host: '::', port: 0 });
  listener.listen();
  using client = new Socket();
  client.bind({ host: '127.0.0.2', port: 0 });
  await client.connect({ host: '127.0.0.1', port: listener.getsockname().port });
  const [server] = await listener.accept();
  assert.ok(hasPeerOnThisHost(client.fileno()));
  assert.ok(hasPeerOnThisHost(server.fileno()));
  server.close();
});

test('hasPeerOnThisHost() is false without a peer and without internet addresses', () => {
  using alone = new Socket();
  using pair = unixPair();
  assert.equal(hasPeerOnThisHost(alone.fileno()), false);
  assert.equal(hasPeerOnThisHost(pair.client.fileno()), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inet6Address, InetAddress, UnixAddress } from '../address/index.ts';
import { AF_INET6, AF_UNIX, SOCK_DGRAM } from '../constants/index.ts';
import { createConnection } from './create-connection.ts';
import { createServer } from './create-server.ts';
import { Socket } from './socket.ts';
import { socketpair } from './socketpair.ts';

/** Compiles only where the value's type is exactly the one named. */
function hasType<Wanted>(): <Given>(
  value: Given,
  ...same: [Wanted] extends [Given] ? ([Given] extends [Wanted] ? [] : [never]) : [never]
) => void {
  return () => {};
}

test('Socket: the address type follows the family, and a wrong address does not compile', () => {
  using inet = new Socket();
  using inet6 = new Socket(AF_INET6, SOCK_DGRAM);
  using unix = new Socket(AF_UNIX, SOCK_DGRAM);
  inet.bind({ host: '127.0.0.1', port: 0 });
  hasType<InetAddress>()(inet.getsockname());
  hasType<Inet6Address>()(inet6.getsockname());
  hasType<UnixAddress>()(unix.getsockname());
  // @ts-expect-error A Unix socket has no host.
  assert.throws(() => unix.bind({ host: '127.0.0.1', port: 0 }), TypeError);
  // @ts-expect-error An AF_INET socket has no path.
  assert.throws(() => inet.bind({ path: '/tmp/x' }), TypeError);
  // @ts-expect-error A string is no data.
  assert.throws(() => inet.sendSync('text'), TypeError);
});

test('Socket<number> stands for a socket of any family', () => {
  const [left, right] = socketpair();
  const sockets: Socket<number>[] = [left, right];
  for (const socket of sockets) socket.close();
  assert.equal(left.closed, true);
});

test('createServer() and createConnection() know the family from the address', async () => {
  using listener = createServer({ host: '127.0.0.1', port: 0 });
  hasType<InetAddress | Inet6Address>()(listener.getsockname());
  using connection = await createConnection(listener.getsockname());
  hasType<InetAddress | Inet6Address>()(connection.getpeername());
});

import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import {
  AF_INET,
  AF_UNIX,
  EAI_NONAME,
  EBADF,
  ENOTCONN,
  ENOTSOCK,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../constants/index.ts';
import { AddressInfoError, SocketError, TimeoutError } from '../errors/index.ts';
import { needs, rejection, runNode } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, tcpPair } from './sockets.test.util.ts';

const library = JSON.stringify(new URL('./index.js', import.meta.url));

test('a failed call gives a SocketError with code, errno and syscall, and a message that names them', async () => {
  using socket = new Socket();
  const error = await rejection(socket.recv(1));
  assert.ok(error instanceof SocketError);
  assert.ok(!(error instanceof TimeoutError));
  assert.equal(error.name, 'SocketError');
  assert.equal(error.code, 'ENOTCONN');
  assert.equal(error.errno, ENOTCONN);
  assert.equal(error.syscall, 'recv');
  assert.equal(error.address, undefined);
  assert.match(error.message, new RegExp(`^recv ENOTCONN: .+ \\(errno ${ENOTCONN}\\)$`));
});

test('an error about an address has it, and shows it', () => {
  using socket = new Socket();
  const address = { host: '203.0.113.1', port: 1 };
  assert.throws(
    () => socket.bind(address),
    (error: SocketError) => {
      assert.equal(error.code, 'EADDRNOTAVAIL');
      assert.deepEqual(error.address, address);
      assert.ok(error.message.includes('203.0.113.1:1'));
      return true;
    },
  );
  using unix = new Socket(AF_UNIX);
  assert.throws(() => unix.bind({ path: '/nowhere/at/all' }), /bind ENOENT \/nowhere\/at\/all: /);
});

test('the Sync form throws what the other rejects with', async () => {
  using socket = new Socket();
  const rejected = await rejection<SocketError>(socket.recv(1));
  assert.throws(() => socket.recvSync(1), {
    name: rejected.name,
    code: rejected.code,
    errno: rejected.errno,
    syscall: rejected.syscall,
    message: rejected.message,
  });
});

test('an unknown host gives an AddressInfoError with the host', async () => {
  using socket = new Socket();
  const error = await rejection(socket.connect({ host: 'no such host', port: 1 }));
  assert.ok(error instanceof AddressInfoError);
  assert.equal(error.errno, EAI_NONAME);
  assert.equal(error.host, 'no such host');
  assert.throws(() => socket.connectSync({ host: 'no such host', port: 1 }), AddressInfoError);
  assert.throws(() => socket.bind({ host: 'localhost\0.example', port: 1 }), AddressInfoError);
});

test('{ fd } that is no socket, not open, or no number', () => {
  const adopt = (fd: unknown) => () =>
    new Socket(undefined, undefined, undefined, { fd: fd as number });
  assert.throws(adopt(0x7ffffff), { code: 'EBADF', errno: EBADF });
  const file = openSync('/dev/null', 'r');
  assert.throws(adopt(file), { code: 'ENOTSOCK', errno: ENOTSOCK });
  closeSync(file);
  assert.throws(adopt(-1), RangeError);
  for (const wrong of [42.5, 'foo', null, {}, Number.NaN]) assert.throws(adopt(wrong), TypeError);
});

test('a wrong argument is a TypeError or a RangeError before any system call, and nobody aborts', async () => {
  using pair = await tcpPair();
  using datagram = new Socket(AF_INET, SOCK_DGRAM);
  const { client } = pair;
  const wrong = (call: (value: never) => unknown, kind: ErrorConstructor, values: unknown[]) =>
    values.map(async (value) => {
      const error = await rejection(
        new Promise((resolve) => {
          resolve(call(value as never));
        }),
      );
      assert.ok(error instanceof kind, `${String(call)} of ${String(value)}: ${error.stack}`);
      assert.doesNotMatch(error.message, /Cannot read prop|is not a function|native call/);
    });
  const noNumbers = ['1', null, {}, [], true, 1n, Symbol.iterator, Number.NaN, 1.5];
  const noBytes = ['text', null, undefined, 5, {}, [1], new ArrayBuffer(1), new Uint16Array(1)];
  const noOptions = [null, 5, 'x', { signal: 5 }, { signal: {} }];
  const noAddresses = [
    undefined,
    null,
    5,
    'localhost:80',
    {},
    [],
    { host: 5, port: 5 },
    { host: '::1' },
  ];
  const numbers = TypeError;
  const ranges = RangeError;
  await Promise.all([
    ...wrong((value) => client.recv(value), numbers, [undefined, ...noNumbers]),
    ...wrong((value) => client.recv(value), ranges, [-1, 2 ** 31, Number.POSITIVE_INFINITY]),
    ...wrong((value) => client.recv(1, value), numbers, noNumbers),
    ...wrong((value) => client.recv(1, 0, value), numbers, noOptions),
    ...wrong((value) => client.recvSync(value), numbers, [undefined, ...noNumbers]),
    ...wrong((value) => client.recvInto(value), numbers, noBytes),
    ...wrong((value) => client.recvInto(Buffer.alloc(4), value), numbers, noNumbers),
    ...wrong((value) => client.recvInto(Buffer.alloc(4), value), ranges, [-1, 5]),
    ...wrong((value) => client.recvfromInto(value), numbers, noBytes),
    ...wrong((value) => client.send(value), numbers, noBytes),
    ...wrong((value) => client.sendall(value), numbers, noBytes),
    ...wrong((value) => client.sendallSync(value), numbers, noBytes),
    ...wrong((value) => client.sendall(Buffer.alloc(1), value), numbers, noNumbers),
    ...wrong((value) => client.sendall(Buffer.alloc(1), 0, value), numbers, noOptions),
    ...wrong((value) => datagram.sendto(value, LOOPBACK), numbers, noBytes),
    ...wrong((value) => datagram.sendto(Buffer.alloc(1), value), numbers, noAddresses),
    ...wrong((value) => client.connect(value), numbers, noAddresses),
    ...wrong((value) => client.connectEx(value), numbers, noAddresses),
    ...wrong((value) => client.connectSync(value), numbers, noAddresses),
    ...wrong((value) => client.bind(value), numbers, noAddresses),
    ...wrong((value) => client.bind({ host: '', port: value }), ranges, [-1, 65_536]),
    ...wrong((value) => client.listen(value), numbers, noNumbers),
    ...wrong((value) => client.shutdown(value), numbers, [undefined, ...noNumbers]),
    ...wrong((value) => client.shutdown(value), ranges, [-1, 3]),
    ...wrong((value) => client.getsockopt(value, 1), numbers, [undefined, ...noNumbers]),
    ...wrong((value) => client.getsockopt(1, 1, value), ranges, [-1, 1_025]),
    ...wrong((value) => client.setsockopt(1, 1, value), numbers, [undefined, '1', {}, 1n, 1.5]),
    ...wrong((value) => client.setsockopt(1, 1, null, value), numbers, [undefined, '1', {}]),
    ...wrong((value) => client.setblocking(value), numbers, [undefined, 0, 1, 'x', null]),
    ...wrong((value) => client.accept(value), numbers, noOptions),
    ...wrong((value) => new Socket(value), numbers, ['2', {}, 1.5, Number.NaN]),
    ...wrong((value) => new Socket(AF_INET, value), numbers, ['1', {}, 1.5]),
    ...wrong((value) => new Socket(AF_INET, SOCK_STREAM, 0, value), numbers, [null, 5]),
  ]);
});

test(
  'no free descriptor: the operation fails with EMFILE, and the library goes on afterwards',
  await needs('linux'),
  async () => {
    const { stdout, stderr } = await runNode(
      `
    import { openSync, closeSync, readdirSync } from 'node:fs';
    import { Socket } from ${library};
    const fill = () => {
      const opened = [];
      for (;;) try { opened.push(openSync('/dev/null')); } catch { return opened; }
    };
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    const client = new Socket();
    client.connectSync(listener.getsockname());
    // The first operation that waits needs a descriptor for the poller.
    let opened = fill();
    const codes = [];
    const code = (promise) => promise.then(() => codes.push('ok'), (error) => codes.push(error.code));
    await code(client.recv(1));
    await code(listener.accept());
    try { new Socket(); } catch (error) { codes.push(error.code); }
    opened.forEach(closeSync);
    const receiving = client.recv(10);
    const [server] = await listener.accept();
    // Now with the poller accepting.
    const accepting = listener.accept();
    const second = new Socket();
    opened = fill();
    const connecting = second.connect(listener.getsockname());
    await code(accepting);
    await code(connecting);
    opened.forEach(closeSync);
    const [late] = await listener.accept();
    await server.sendall(Buffer.from('fine'));
    codes.push(String(await receiving));
    for (const socket of [listener, client, server, second, late]) socket.close();
    console.log(codes.join(' '));
  `,
      { under: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'] },
    );
    assert.equal(stdout, 'EMFILE EMFILE EMFILE EMFILE ok fine\n', stderr);
  },
);

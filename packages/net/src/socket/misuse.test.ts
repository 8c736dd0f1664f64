import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AF_INET,
  AF_UNIX,
  AF_VSOCK,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { CMSG_LEN, CMSG_SPACE } from './ancillary.ts';
import { Socket } from './socket.ts';
import { close } from './socketpair.ts';
import { tcpPair } from './sockets.test.util.ts';

const MAX_INT = 0x7fffffff;

function canOpenVsock(): string | false {
  try {
    new Socket(AF_VSOCK).close();
    return false;
  } catch (error) {
    if (error instanceof SocketError) return error.message;
    throw error;
  }
}

test('new Socket(-1, -1, -1) is a stream of AF_INET that waits: -1 has no SOCK_NONBLOCK bit', () => {
  using socket = new Socket(-1, -1, -1);
  assert.equal(socket.family, AF_INET);
  assert.equal(socket.type, SOCK_STREAM);
  assert.equal(socket.gettimeout(), null);
});

test('new Socket() names a negative file descriptor', () => {
  for (const fd of [-1, -42]) {
    assert.throws(() => new Socket(AF_INET, SOCK_STREAM, 0, { fd }), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /negative file descriptor/,
    });
  }
});

test('close() of a number that no descriptor can have is EBADF, of no integer a TypeError', () => {
  for (const fd of [-1, MAX_INT]) assert.throws(() => close(fd), { code: 'EBADF' });
  for (const fd of [null, undefined, '3', 3.5] as never[]) {
    assert.throws(() => close(fd), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
});

test('settimeout() and setblocking() fail on a closed socket and on a number closed elsewhere', () => {
  const closed = new Socket();
  closed.close();
  const stolen = new Socket();
  close(stolen.fileno());
  for (const socket of [closed, stolen]) {
    assert.throws(() => socket.settimeout(1), { name: 'SocketError', code: 'EBADF' });
    assert.throws(() => socket.setblocking(false), { name: 'SocketError', code: 'EBADF' });
    assert.throws(() => socket.settimeout(-1), RangeError);
    assert.equal(socket.gettimeout(), null);
  }
  assert.throws(() => stolen.close(), { code: 'EBADF' });
});

test('sendfile() refuses a datagram socket and one that may not wait', async () => {
  const wrong = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
  using datagram = new Socket(AF_INET, SOCK_DGRAM);
  await assert.rejects(datagram.sendfile('/dev/null'), wrong);
  assert.throws(() => datagram.sendfileSync('/dev/null'), wrong);
  using pair = await tcpPair();
  pair.client.settimeout(0);
  await assert.rejects(pair.client.sendfile('/dev/null'), wrong);
  assert.throws(() => pair.client.sendfileSync('/dev/null'), wrong);
});

test('CMSG_LEN and CMSG_SPACE refuse what sendmsg() could not carry', () => {
  // As CPython bounds them: no message may be longer than an int less the largest overhead.
  assert.equal(CMSG_LEN(MAX_INT - CMSG_LEN(0)), MAX_INT);
  assert.throws(() => CMSG_LEN(MAX_INT - CMSG_LEN(0) + 1), RangeError);
  assert.ok(CMSG_SPACE(MAX_INT - CMSG_SPACE(1)) <= MAX_INT);
  assert.throws(() => CMSG_SPACE(MAX_INT - CMSG_SPACE(1) + 1), RangeError);
});

test('bind() to a path too long for sockaddr_un is ENAMETOOLONG, with the path', () => {
  using socket = new Socket(AF_UNIX);
  const path = `\0${'a'.repeat(108)}`;
  assert.throws(() => socket.bind({ path }), {
    name: 'SocketError',
    code: 'ENAMETOOLONG',
    address: { path },
    message: /109 bytes long, limit 108/,
  });
});

test('getsockopt() and setsockopt() of the 64-bit options of AF_VSOCK take a number', {
  skip: canOpenVsock(),
}, () => {
  using socket = new Socket(AF_VSOCK);
  const level = AF_VSOCK as number;
  const max = socket.getsockopt(level, SO_VM_SOCKETS_BUFFER_MAX_SIZE);
  const size = socket.getsockopt(level, SO_VM_SOCKETS_BUFFER_SIZE);
  socket.setsockopt(level, SO_VM_SOCKETS_BUFFER_MAX_SIZE, max * 2);
  socket.setsockopt(level, SO_VM_SOCKETS_BUFFER_SIZE, size * 2);
  assert.equal(socket.getsockopt(level, SO_VM_SOCKETS_BUFFER_SIZE as number), size * 2);
  assert.throws(() => socket.setsockopt(level, SO_VM_SOCKETS_BUFFER_SIZE, -1), RangeError);
});

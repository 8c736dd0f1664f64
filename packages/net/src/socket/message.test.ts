import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  MSG_CTRUNC,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_PEEK,
  MSG_TRUNC,
  SCM_CREDENTIALS,
  SO_PASSCRED,
  SO_TIMESTAMP,
  SO_TIMESTAMPNS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import { CMSG_SPACE } from './ancillary.ts';
import { Socket } from './socket.ts';
import { LOOPBACK, tcpPair, udpPair, unixPair } from './sockets.test.util.ts';

const ipv6 = await needs('ipv6');

function udp(): Socket {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.bind(LOOPBACK);
  return socket;
}

test('sendmsg() gathers its buffers and recvmsgInto() scatters over its own', async () => {
  using pair = await tcpPair();
  const sent = await pair.client.sendmsg([Buffer.from('ab'), Buffer.from(''), Buffer.from('cdef')]);
  assert.equal(sent, 6);
  const [first, second] = [Buffer.alloc(4), Buffer.alloc(4)];
  const { bytes, ancillary, flags } = await pair.server.recvmsgInto([first, second]);
  assert.deepEqual([bytes, ancillary, flags], [6, [], 0]);
  assert.equal(Buffer.concat([first, second]).toString(), 'abcdef\0\0');
});

test('recvmsg() of a datagram that is too long says MSG_TRUNC', async () => {
  using pair = await udpPair();
  await pair.client.send(Buffer.from('0123456789'));
  const { data, flags } = await pair.server.recvmsg(4);
  assert.equal(data.toString(), '0123');
  assert.equal(flags & MSG_TRUNC, MSG_TRUNC);
  await pair.client.send(Buffer.from('0123'));
  assert.equal((await pair.server.recvmsg(4)).flags & MSG_TRUNC, 0);
});

test('recvmsg() with MSG_PEEK leaves the message for the next call', async () => {
  using pair = await udpPair();
  await pair.client.send(Buffer.from('again'));
  assert.equal((await pair.server.recvmsg(10, 0, MSG_PEEK)).data.toString(), 'again');
  assert.equal((await pair.server.recvmsg(10)).data.toString(), 'again');
});

test('recvmsg() on SOCK_SEQPACKET keeps records apart and says when one was cut', async () => {
  using pair = unixPair(SOCK_SEQPACKET);
  await pair.client.send(Buffer.from('record'));
  await pair.client.send(Buffer.from('last'), MSG_EOR);
  assert.equal((await pair.server.recvmsg(100)).data.toString(), 'record');
  const { data, flags } = await pair.server.recvmsg(2);
  assert.deepEqual([data.toString(), flags & MSG_TRUNC], ['la', MSG_TRUNC]);
});

test('recvmsg() gives IP_PKTINFO, IP_TTL and IP_TOS of a datagram', async () => {
  using receiver = udp();
  using sender = udp();
  for (const name of [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS]) receiver.setsockopt(IPPROTO_IP, name, 1);
  sender.setsockopt(IPPROTO_IP, IP_TTL, 33);
  sender.setsockopt(IPPROTO_IP, IP_TOS, 0x10);
  await sender.sendto(Buffer.from('x'), receiver.getsockname());
  const { ancillary, address } = await receiver.recvmsg(10, 256);
  assert.deepEqual(address, sender.getsockname());
  const of = (type: number): Buffer | undefined =>
    ancillary.find((item) => item.type === type)?.data;
  assert.equal(of(IP_TTL)?.readInt32LE(), 33);
  assert.equal(of(IP_TOS)?.[0], 0x10);
  // struct in_pktinfo: interface index, local address, the datagram's destination.
  assert.deepEqual([...(of(IP_PKTINFO)?.subarray(8) ?? [])], [127, 0, 0, 1]);
});

test('sendmsg() sends from the address that IP_PKTINFO names', async () => {
  using receiver = udp();
  using sender = new Socket(AF_INET, SOCK_DGRAM);
  const data = Buffer.from([0, 0, 0, 0, 127, 0, 0, 9, 0, 0, 0, 0]);
  const info = { level: IPPROTO_IP, type: IP_PKTINFO, data };
  await sender.sendmsg([Buffer.from('x')], [info], 0, receiver.getsockname());
  const { address } = await receiver.recvmsg(10);
  assert.equal(address?.host, '127.0.0.9');
});

test('recvmsg() gives IPV6_PKTINFO, IPV6_HOPLIMIT and IPV6_TCLASS (RFC 3542)', ipv6, async () => {
  using receiver = new Socket(AF_INET6, SOCK_DGRAM);
  using sender = new Socket(AF_INET6, SOCK_DGRAM);
  receiver.bind({ host: '::1', port: 0 });
  for (const name of [IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS]) {
    receiver.setsockopt(IPPROTO_IPV6, name, 1);
  }
  const int = (value: number): Buffer => Buffer.from(new Int32Array([value]).buffer);
  const control = [
    { level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, data: int(7) },
    { level: IPPROTO_IPV6, type: IPV6_TCLASS, data: int(0x20) },
  ];
  await sender.sendmsg([Buffer.from('x')], control, 0, receiver.getsockname());
  const { ancillary } = await receiver.recvmsg(10, 256);
  const of = (type: number): Buffer | undefined =>
    ancillary.find((item) => item.type === type)?.data;
  assert.equal(of(IPV6_HOPLIMIT)?.readInt32LE(), 7);
  assert.equal(of(IPV6_TCLASS)?.readInt32LE(), 0x20);
  assert.equal(of(IPV6_PKTINFO)?.[15], 1);
});

test('recvmsg() gives the time at which a datagram came', async () => {
  for (const option of [SO_TIMESTAMP, SO_TIMESTAMPNS]) {
    using receiver = udp();
    using sender = udp();
    receiver.setsockopt(SOL_SOCKET, option, 1);
    const before = Math.floor(Date.now() / 1000);
    await sender.sendto(Buffer.from('x'), receiver.getsockname());
    const { ancillary } = await receiver.recvmsg(10, 64);
    const seconds = Number(ancillary[0]?.data.readBigInt64LE());
    assert.ok(seconds >= before && seconds <= Date.now() / 1000 + 1, `${seconds}`);
  }
});

test('recvmsg() gives the credentials of the peer (SCM_CREDENTIALS)', async () => {
  using pair = unixPair(SOCK_DGRAM);
  pair.server.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  await pair.client.send(Buffer.from('who'));
  const { ancillary } = await pair.server.recvmsg(10, CMSG_SPACE(12));
  const [credentials] = ancillary;
  assert.deepEqual([credentials?.level, credentials?.type], [SOL_SOCKET, SCM_CREDENTIALS]);
  assert.equal(credentials?.data.readInt32LE(0), process.pid);
  assert.equal(credentials?.data.readInt32LE(4), process.getuid?.());
});

test('recvmsg() of more ancillary data than there is room for says MSG_CTRUNC', async () => {
  using pair = unixPair(SOCK_DGRAM);
  pair.server.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  await pair.client.send(Buffer.from('who'));
  const { ancillary, flags } = await pair.server.recvmsg(10, CMSG_SPACE(12) - 10);
  assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
  assert.ok((ancillary[0]?.data.length ?? 0) < 12);
  await pair.client.send(Buffer.from('who'));
  const none = await pair.server.recvmsg(10);
  assert.deepEqual([none.ancillary, none.flags & MSG_CTRUNC], [[], MSG_CTRUNC]);
});

test('recvmsg() reads the error queue: which datagram was refused (IP_RECVERR)', async () => {
  using closed = udp();
  const target = closed.getsockname();
  closed.close();
  using sender = udp();
  sender.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
  await sender.sendto(Buffer.from('nobody home'), target);
  // The ICMP answer sets POLLERR.
  await sender.poll(0);
  const { data, ancillary, flags, address } = await sender.recvmsg(100, 512, MSG_ERRQUEUE);
  assert.equal(data.toString(), 'nobody home');
  assert.equal(flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
  assert.deepEqual(address, target);
  // struct sock_extended_err starts with the errno.
  assert.equal(ancillary.find(({ type }) => type === IP_RECVERR)?.data.readUInt32LE(), 111);
  // Empty now, and an error queue is never waited for.
  assert.equal((await rejection(sender.recvmsg(100, 512, MSG_ERRQUEUE))).code, 'EAGAIN');
});

test(
  'sendmsg() and recvmsg() exchange messages and descriptors with Python',
  await needs('python3'),
  async () => {
    using pair = unixPair();
    await using peer = new PythonPeer(
      `
    server = socket.socket(socket.AF_UNIX)
    server.bind('\\0' + args[0])
    server.listen()
    say(1)
    s, _ = server.accept()
    data, fds, flags, _ = socket.recv_fds(s, 100, 5)
    given = socket.socket(fileno=fds[0])
    given.sendall(b'through the descriptor: ' + data)
    s.sendmsg([b'a', b'bc'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [given.fileno()]))])
  `,
      `sockeye-${process.pid}`,
    );
    await peer.hear();
    using client = new Socket(AF_UNIX);
    await client.connect({ path: `\0sockeye-${process.pid}` });
    const rights = Buffer.from(new Int32Array([pair.server.fileno()]).buffer);
    await client.sendmsg([Buffer.from('data')], [{ level: SOL_SOCKET, type: 1, data: rights }]);
    assert.equal((await pair.client.recv(100)).toString(), 'through the descriptor: data');
    const { data, ancillary } = await client.recvmsg(10, 64);
    assert.equal(data.toString(), 'abc');
    using copy = new Socket<number>(undefined, undefined, undefined, {
      fd: ancillary[0]?.data.readInt32LE(),
    });
    assert.equal(copy.family, AF_UNIX);
    assert.equal(copy.getinheritable(), false);
    await peer.end();
  },
);

test('sendmsg() and recvmsg() refuse wrong arguments before any system call', async () => {
  using socket = udp();
  const wrong: [unknown, unknown?][] = [
    ['text'],
    [['text']],
    [[new Uint16Array(1)]],
    [[Buffer.alloc(1)], [{ level: 1, type: 1, data: 'text' }]],
    [[Buffer.alloc(1)], [{ level: '1', type: 1, data: Buffer.alloc(1) }]],
    [[Buffer.alloc(1)], [null]],
    [[Buffer.alloc(1)], 'x'],
  ];
  for (const [buffers, ancillary] of wrong) {
    const call = socket.sendmsg(buffers as Uint8Array[], ancillary as []);
    assert.ok((await rejection(call)) instanceof TypeError);
    assert.throws(() => socket.sendmsgSync(buffers as Uint8Array[], ancillary as []), TypeError);
  }
  for (const [size, ancillarySize] of [
    [-1, 0],
    [1, -1],
    [2 ** 31, 0],
  ] as const) {
    assert.ok((await rejection(socket.recvmsg(size, ancillarySize))) instanceof RangeError);
    assert.throws(() => socket.recvmsgSync(size, ancillarySize), RangeError);
  }
  assert.ok((await rejection(socket.recvmsgInto([1] as never))) instanceof TypeError);
});

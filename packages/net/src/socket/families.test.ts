import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AF_ALG,
  AF_CAN,
  AF_INET,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
  ALG_OP_ENCRYPT,
  ALG_SET_KEY,
  CAN_RAW,
  ETH_P_ALL,
  IP_HDRINCL,
  IPPROTO_ICMP,
  IPPROTO_IGMP,
  IPPROTO_IP,
  IPPROTO_MPTCP,
  IPPROTO_RAW,
  IPPROTO_SCTP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  NETLINK_ROUTE,
  PACKET_HOST,
  PACKET_OUTGOING,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_ALG,
  VMADDR_CID_LOCAL,
} from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { needs } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { LOOPBACK } from './sockets.test.util.ts';

const root = await needs('root');

/** Skips a test where the kernel lacks a kind of socket, with the library's own words for it. */
function kernelHas(family: number, type: number, proto = 0): { skip: string | false } {
  try {
    new Socket<number>(family, type, proto).close();
    return { skip: false };
  } catch (error) {
    if (error instanceof SocketError) return { skip: String(error) };
    throw error;
  }
}

test('a family or protocol that the kernel lacks is an error that names it', () => {
  const kinds: [number, number, number, RegExp][] = [
    [AF_CAN, SOCK_RAW, CAN_RAW, /no AF_CAN: its module is can/],
    [AF_TIPC, SOCK_RDM, 0, /no AF_TIPC: its module is tipc/],
    [AF_RDS, SOCK_SEQPACKET, 0, /no AF_RDS: its module is rds/],
    [AF_QIPCRTR, SOCK_DGRAM, 0, /no AF_QIPCRTR: its module is qrtr/],
    [AF_INET, SOCK_STREAM, IPPROTO_SCTP, /no SCTP: its module is sctp/],
    [AF_INET, SOCK_RDM, 0, /no sockets of type 4/],
  ];
  for (const [family, type, proto, hint] of kinds) {
    if (kernelHas(family, type, proto).skip === false) continue;
    assert.throws(
      () => new Socket(family, type, proto),
      (error: SocketError) =>
        /^E(AF|PROTO|SOCKT)NOSUPPORT$/.test(error.code) && hint.test(error.hint ?? ''),
    );
  }
});

test('SOCK_RAW with IPPROTO_ICMP: an echo request comes back as a reply', root, async () => {
  using socket = new Socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  socket.settimeout(5);
  // Type 8, code 0, checksum, identifier, sequence, no data.
  const request = Buffer.from([8, 0, 0, 0, 0x5a, 0x5a, 0, 1]);
  request.writeUInt16BE(0xffff - (0x0800 + 0x5a5a + 1), 2);
  await socket.sendto(request, { host: '127.0.0.1', port: 0 });
  for (;;) {
    const [packet, address] = await socket.recvfrom(1500);
    const icmp = packet.subarray(((packet[0] ?? 0) & 15) * 4);
    if (icmp[0] !== 0 || icmp.readUInt16BE(4) !== 0x5a5a) continue;
    assert.equal(address?.host, '127.0.0.1');
    break;
  }
});

test('SOCK_RAW with IP_HDRINCL sends the IP header that the caller wrote', root, async () => {
  using receiver = new Socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
  using sender = new Socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  receiver.settimeout(5);
  sender.setsockopt(IPPROTO_IP, IP_HDRINCL, 1);
  const header = Buffer.from([
    0x45,
    0,
    0,
    28,
    0,
    0,
    0,
    0,
    77,
    IPPROTO_UDP,
    0,
    0,
    127,
    0,
    0,
    7,
    127,
    0,
    0,
    1,
  ]);
  const udp = Buffer.from([0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0]);
  await sender.sendto(Buffer.concat([header, udp]), { host: '127.0.0.1', port: 0 });
  for (;;) {
    const [packet, address] = await receiver.recvfrom(1500);
    if (packet.readUInt16BE(20) !== 0x1234) continue;
    assert.deepEqual([packet[8], address?.host], [77, '127.0.0.7']);
    break;
  }
  new Socket(AF_INET, SOCK_RAW, IPPROTO_IGMP).close();
});

test('AF_PACKET sees what passes on lo, with direction and addresses', root, async () => {
  using packets = new Socket(AF_PACKET, SOCK_DGRAM, ((ETH_P_ALL & 255) << 8) | (ETH_P_ALL >> 8));
  packets.bind({ interface: 'lo', protocol: ETH_P_ALL });
  packets.settimeout(5);
  using udp = new Socket(AF_INET, SOCK_DGRAM);
  udp.bind(LOOPBACK);
  const text = `to be seen ${process.pid}`;
  const signal = AbortSignal.timeout(20_000);
  const seen = new Set<number>();
  for (let others = 0; seen.size < 2; others++) {
    // What others send over lo may leave no room for ours.
    if (others % 1000 === 0) await udp.sendto(Buffer.from(text), udp.getsockname());
    const [packet, address] = await packets.recvfrom(2000, 0, { signal });
    if (!packet.includes(text)) continue;
    assert.equal(address?.interface, 'lo');
    seen.add(address?.pkttype ?? -1);
  }
  assert.deepEqual(seen, new Set([PACKET_HOST, PACKET_OUTGOING]));
});

test('AF_NETLINK lists the interfaces', async () => {
  using socket = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  socket.bind({ pid: 0, groups: 0 });
  assert.ok(socket.getsockname().pid > 0);
  // struct nlmsghdr: length, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, pid; then ifinfomsg.
  const request = Buffer.alloc(32);
  request.writeUInt32LE(32, 0);
  request.writeUInt16LE(18, 4);
  request.writeUInt16LE(0x301, 6);
  await socket.sendto(request, { pid: 0, groups: 0 });
  const [reply, address] = await socket.recvfrom(65_536);
  assert.deepEqual(address, { pid: 0, groups: 0 });
  assert.ok(reply.includes('lo\0'));
});

test('AF_VSOCK connects to itself', kernelHas(AF_VSOCK, SOCK_STREAM), async (t) => {
  using listener = new Socket(AF_VSOCK, SOCK_STREAM);
  using client = new Socket(AF_VSOCK, SOCK_STREAM);
  listener.bind({ cid: 0xffffffff, port: 0xffffffff });
  listener.listen();
  client.settimeout(2);
  const { port } = listener.getsockname();
  try {
    await client.connect({ cid: VMADDR_CID_LOCAL, port });
  } catch (error) {
    t.skip(`no vsock loopback: ${String(error)}`);
    return;
  }
  const [connection] = await listener.accept();
  await client.sendall(Buffer.from('hello'));
  assert.equal((await connection.recv(10)).toString(), 'hello');
  connection.close();
});

test('AF_ALG hashes and encrypts (sendmsgAfalg)', kernelHas(AF_ALG, SOCK_SEQPACKET), async () => {
  using sha = new Socket(AF_ALG, SOCK_SEQPACKET);
  sha.bind({ type: 'hash', name: 'sha256' });
  const [operation] = await sha.accept();
  await operation.sendall(Buffer.from('abc'));
  assert.equal((await operation.recv(64)).toString('hex').slice(0, 16), 'ba7816bf8f01cfea');
  operation.close();

  using cipher = new Socket(AF_ALG, SOCK_SEQPACKET);
  cipher.bind({ type: 'skcipher', name: 'cbc(aes)' });
  cipher.setsockopt(SOL_ALG, ALG_SET_KEY, Buffer.alloc(16));
  const [encryption] = await cipher.accept();
  const request = { buffers: [Buffer.alloc(16)], op: ALG_OP_ENCRYPT, iv: Buffer.alloc(16) };
  await encryption.sendmsgAfalg(request);
  assert.equal((await encryption.recv(16)).toString('hex'), '66e94bd4ef8a2c3b884cfa59ca342b2e');
  encryption.close();
});

test('sendmsgAfalg() is for AF_ALG only', async () => {
  using socket = new Socket(AF_UNIX, SOCK_DGRAM);
  assert.throws(() => socket.sendmsgAfalgSync({ op: 1 }), TypeError);
});

test('UDP-Lite sends and receives', kernelHas(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), async () => {
  using receiver = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
  using sender = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
  receiver.bind(LOOPBACK);
  await sender.sendto(Buffer.from('lite'), receiver.getsockname());
  assert.equal((await receiver.recv(10)).toString(), 'lite');
  assert.equal(receiver.proto, IPPROTO_UDPLITE);
});

test('MPTCP connects', kernelHas(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), async () => {
  using listener = new Socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  using client = new Socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  listener.bind(LOOPBACK);
  listener.listen();
  const [[server]] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
  await client.sendall(Buffer.from('many paths'));
  assert.equal((await server.recv(20)).toString(), 'many paths');
  server.close();
});

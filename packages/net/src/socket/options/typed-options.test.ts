import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as c from '../../constants/index.ts';
import { SocketError } from '../../errors/index.ts';
import { Socket } from '../socket.ts';
import { close, socketpair } from '../socketpair.ts';
import type { OptionRow } from './option-row.ts';
import { type OptionName, optionTable } from './option-table.ts';

/** The sockets that options are tried on. */
const SOCKETS = {
  tcp: [c.AF_INET, c.SOCK_STREAM, 0],
  tcp6: [c.AF_INET6, c.SOCK_STREAM, 0],
  udp: [c.AF_INET, c.SOCK_DGRAM, 0],
  udp6: [c.AF_INET6, c.SOCK_DGRAM, 0],
  udplite: [c.AF_INET, c.SOCK_DGRAM, c.IPPROTO_UDPLITE],
  unix: [c.AF_UNIX, c.SOCK_DGRAM, 0],
  icmp: [c.AF_INET, c.SOCK_RAW, c.IPPROTO_ICMP],
  icmp6: [c.AF_INET6, c.SOCK_RAW, c.IPPROTO_ICMPV6],
  raw6: [c.AF_INET6, c.SOCK_RAW, c.IPPROTO_RAW],
  packet: [c.AF_PACKET, c.SOCK_RAW, 0],
  netlink: [c.AF_NETLINK, c.SOCK_RAW, c.NETLINK_ROUTE],
  vsock: [c.AF_VSOCK, c.SOCK_STREAM, 0],
  can: [c.AF_CAN, c.SOCK_RAW, c.CAN_RAW],
  isotp: [c.AF_CAN, c.SOCK_DGRAM, c.CAN_ISOTP],
  j1939: [c.AF_CAN, c.SOCK_DGRAM, c.CAN_J1939],
  sctp: [c.AF_INET, c.SOCK_STREAM, c.IPPROTO_SCTP],
  tipc: [c.AF_TIPC, c.SOCK_STREAM, 0],
} as const;

type Kind = keyof typeof SOCKETS;

interface Trial {
  readonly on: Kind;
  readonly value: unknown;
  /** What is read back, where the kernel gives something else. */
  readonly reads?: unknown;
  /** A call that must come first. */
  readonly first?: (socket: Socket<number>) => void;
}

const PROGRAM = [
  { code: c.BPF_LD | c.BPF_W | c.BPF_LEN, jt: 0, jf: 0, k: 0 },
  { code: c.BPF_JMP | c.BPF_JGT | c.BPF_K, jt: 1, jf: 0, k: 3 },
  { code: c.BPF_RET | c.BPF_K, jt: 0, jf: 0, k: 0 },
  { code: c.BPF_RET | c.BPF_K, jt: 0, jf: 0, k: 0xffffffff },
];
const KEY = Buffer.from('0123456789abcdef');
const repair = (socket: Socket<number>): void => socket.options.set('TCP_REPAIR', 1);
// A hop-by-hop header with a router alert, and a padded destination options header (RFC 2711).
const HOP_OPTIONS = Buffer.from([0, 0, 5, 2, 0, 0, 1, 0]);
const DESTINATION_OPTIONS = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);

/** Read, differ, set, read back: one row each. Booleans are turned over unless they have a row. */
const TRIALS: Readonly<Partial<Record<OptionName, Trial>>> = {
  SO_ATTACH_FILTER: { on: 'udp', value: PROGRAM },
  SO_BINDTODEVICE: { on: 'udp', value: 'lo' },
  SO_BINDTOIFINDEX: { on: 'udp', value: 'lo', reads: 1 },
  SO_BUF_LOCK: { on: 'udp', value: 3 },
  SO_BUSY_POLL: { on: 'udp', value: 20 },
  SO_INCOMING_CPU: { on: 'tcp', value: 1 },
  SO_LINGER: { on: 'tcp', value: { onoff: true, seconds: 5 } },
  SO_LOCK_FILTER: { on: 'udp', value: true },
  SO_MARK: { on: 'udp', value: 0xfffffffe },
  SO_MAX_PACING_RATE: { on: 'tcp', value: 2 ** 33 },
  SO_PEEK_OFF: { on: 'udp', value: 7 },
  SO_PRIORITY: { on: 'udp', value: 6 },
  SO_RCVBUF: { on: 'udp', value: 30_000, reads: 60_000 },
  SO_RCVLOWAT: { on: 'udp', value: 100 },
  SO_RCVTIMEO: { on: 'udp', value: 1.252 },
  SO_RESERVE_MEM: { on: 'tcp', value: 4096 },
  SO_REUSEPORT: { on: 'udp', value: true },
  SO_SNDBUF: { on: 'udp', value: 30_000, reads: 60_000 },
  SO_SNDTIMEO: { on: 'udp', value: 0.5 },
  SO_TIMESTAMPING: {
    on: 'udp',
    value: c.SOF_TIMESTAMPING_RX_SOFTWARE | c.SOF_TIMESTAMPING_SOFTWARE,
  },
  SO_TXREHASH: { on: 'tcp', value: 0 },
  // CLOCK_TAI of time.h: the clock of the etf queue.
  SO_TXTIME: { on: 'udp', value: { clockid: 11, flags: c.SOF_TXTIME_REPORT_ERRORS } },
  SO_ZEROCOPY: { on: 'tcp', value: true },
  IP_LOCAL_PORT_RANGE: { on: 'tcp', value: { low: 40_000, high: 40_010 } },
  IP_MINTTL: { on: 'tcp', value: 255 },
  IP_MTU_DISCOVER: { on: 'udp', value: c.IP_PMTUDISC_DO },
  IP_MULTICAST_IF: { on: 'udp', value: '127.0.0.1' },
  IP_MULTICAST_TTL: { on: 'udp', value: 200 },
  IP_NODEFRAG: { on: 'icmp', value: true },
  // A record route option with room for one address, and the end (RFC 791).
  IP_OPTIONS: { on: 'udp', value: Buffer.from([7, 7, 4, 0, 0, 0, 0, 0]) },
  IP_RECVFRAGSIZE: { on: 'udp', value: true },
  IP_TOS: { on: 'udp', value: 0x10 },
  IP_TTL: { on: 'udp', value: 9 },
  IP_UNICAST_IF: { on: 'udp', value: 'lo', reads: 1 },
  IPV6_ADDR_PREFERENCES: {
    on: 'udp6',
    value: c.IPV6_PREFER_SRC_TMP,
    reads: c.IPV6_PREFER_SRC_TMP | c.IPV6_PREFER_SRC_HOME,
  },
  IPV6_CHECKSUM: { on: 'raw6', value: 4 },
  IPV6_DSTOPTS: { on: 'udp6', value: DESTINATION_OPTIONS },
  IPV6_HOPOPTS: { on: 'udp6', value: HOP_OPTIONS },
  IPV6_MINHOPCOUNT: { on: 'udp6', value: 255 },
  IPV6_MTU_DISCOVER: { on: 'udp6', value: c.IPV6_PMTUDISC_DO },
  IPV6_MULTICAST_HOPS: { on: 'udp6', value: 200 },
  IPV6_MULTICAST_IF: { on: 'udp6', value: 'lo', reads: 1 },
  IPV6_TCLASS: { on: 'udp6', value: 0x10 },
  IPV6_UNICAST_HOPS: { on: 'udp6', value: 9 },
  IPV6_UNICAST_IF: { on: 'udp6', value: 'lo', reads: 1 },
  IPV6_RTHDRDSTOPTS: { on: 'udp6', value: DESTINATION_OPTIONS },
  ICMP_FILTER: { on: 'icmp', value: [c.ICMP_ECHOREPLY, c.ICMP_ECHO, 31] },
  ICMP6_FILTER: { on: 'icmp6', value: [1, 31, 32, c.ICMP6_ECHO_REQUEST, 255] },
  TCP_CONGESTION: { on: 'tcp', value: 'reno' },
  // The kernel rounds to the times that SYN-ACKs are sent again: after 1, 3, 7 s.
  TCP_DEFER_ACCEPT: { on: 'tcp', value: 6, reads: 7 },
  TCP_FASTOPEN: { on: 'tcp', value: 5, first: (socket) => socket.listen() },
  TCP_FASTOPEN_KEY: { on: 'tcp', value: Buffer.concat([KEY, KEY.toReversed()]) },
  TCP_KEEPCNT: { on: 'tcp', value: 3 },
  TCP_KEEPIDLE: { on: 'tcp', value: 11 },
  TCP_KEEPINTVL: { on: 'tcp', value: 12 },
  TCP_LINGER2: { on: 'tcp', value: 13 },
  TCP_NOTSENT_LOWAT: { on: 'tcp', value: 0xffff_0000 },
  TCP_QUEUE_SEQ: {
    on: 'tcp',
    value: 0xfedc_ba98,
    first(socket) {
      repair(socket);
      socket.options.set('TCP_REPAIR_QUEUE', c.TCP_SEND_QUEUE);
    },
  },
  TCP_REPAIR: { on: 'tcp', value: 1 },
  TCP_REPAIR_QUEUE: { on: 'tcp', value: c.TCP_SEND_QUEUE, first: repair },
  TCP_SAVE_SYN: { on: 'tcp', value: 2 },
  TCP_SYNCNT: { on: 'tcp', value: 4 },
  TCP_USER_TIMEOUT: { on: 'tcp', value: 12_345 },
  TCP_WINDOW_CLAMP: { on: 'tcp', value: 50_000 },
  UDP_ENCAP: { on: 'udp', value: c.UDP_ENCAP_ESPINUDP },
  UDP_SEGMENT: { on: 'udp', value: 1400 },
  UDPLITE_RECV_CSCOV: { on: 'udplite', value: 20 },
  UDPLITE_SEND_CSCOV: { on: 'udplite', value: 20 },
  PACKET_FANOUT: {
    on: 'packet',
    value: { id: 321, mode: c.PACKET_FANOUT_HASH },
    first: (socket) => socket.bind({ interface: 'lo', protocol: 3 }),
  },
  PACKET_RESERVE: { on: 'packet', value: 64 },
  PACKET_TIMESTAMP: { on: 'packet', value: c.SOF_TIMESTAMPING_RAW_HARDWARE },
  PACKET_VERSION: { on: 'packet', value: 2 },
  PACKET_VNET_HDR_SZ: { on: 'packet', value: 12 },
  SO_VM_SOCKETS_BUFFER_MAX_SIZE: { on: 'vsock', value: 524_288 },
  SO_VM_SOCKETS_BUFFER_MIN_SIZE: { on: 'vsock', value: 4096 },
  SO_VM_SOCKETS_BUFFER_SIZE: { on: 'vsock', value: 65_536 },
  SO_VM_SOCKETS_CONNECT_TIMEOUT: { on: 'vsock', value: 1.5 },
  CAN_RAW_ERR_FILTER: { on: 'can', value: c.CAN_ERR_TX_TIMEOUT },
  CAN_RAW_FILTER: { on: 'can', value: [{ id: 0x123, mask: 0x7ff }] },
  CAN_ISOTP_LL_OPTS: { on: 'isotp', value: { mtu: 72, txDl: 64, txFlags: 0 } },
  CAN_ISOTP_OPTS: {
    on: 'isotp',
    value: {
      flags: c.CAN_ISOTP_TX_PADDING,
      frameTxtimeNs: 1000,
      extAddress: 1,
      txpadContent: 2,
      rxpadContent: 3,
      rxExtAddress: 4,
    },
  },
  CAN_ISOTP_RECV_FC: { on: 'isotp', value: { bs: 1, stmin: 2, wftmax: 3 } },
  CAN_ISOTP_RX_STMIN: { on: 'isotp', value: 1000 },
  CAN_ISOTP_TX_STMIN: { on: 'isotp', value: 1000 },
  SO_J1939_SEND_PRIO: { on: 'j1939', value: 3 },
  SCTP_ASSOCINFO: {
    on: 'sctp',
    value: {
      assocId: 0,
      maxRetransmissions: 5,
      peerDestinations: 0,
      peerRwndBytes: 0,
      localRwndBytes: 0,
      cookieLifeMs: 1000,
    },
  },
  SCTP_AUTOCLOSE: { on: 'sctp', value: 10 },
  SCTP_FRAGMENT_INTERLEAVE: { on: 'sctp', value: 0 },
  SCTP_INITMSG: {
    on: 'sctp',
    value: { outStreams: 3, maxInStreams: 4, maxAttempts: 5, maxInitTimeoutMs: 6000 },
  },
  SCTP_PARTIAL_DELIVERY_POINT: { on: 'sctp', value: 1000 },
  SCTP_RTOINFO: {
    on: 'sctp',
    value: { assocId: 0, initialMs: 2000, maxMs: 9000, minMs: 500 },
  },
  TIPC_CONN_TIMEOUT: { on: 'tipc', value: 1000 },
  TIPC_IMPORTANCE: { on: 'tipc', value: 2 },
};

/** Options that can be set and read but not read back as they were set, and why. */
const UNTRIED: Readonly<Partial<Record<OptionName, string>>> = {
  SO_BUSY_POLL_BUDGET: 'the kernel has no getsockopt for it',
  SO_DEBUG: 'tried with the booleans where CAP_NET_ADMIN is held',
  IPV6_MTU: 'is the path MTU of a connected socket when read',
  IPV6_RTHDR: 'every type but the deprecated 0 and 2 is refused',
  TCP_DELACK_MAX_US: 'newer than these headers',
  TCP_RTO_MAX_MS: 'newer than these headers',
  TCP_RTO_MIN_US: 'newer than these headers',
  TCP_MAXSEG: 'reads as 536 until connected',
  TCP_REPAIR_WINDOW: 'needs a connection under repair',
  TCP_TIMESTAMP: 'is a clock',
  TCP_TX_DELAY: 'turns on a static key of the whole system',
  TCP_ULP: 'needs a connection and the tls module',
};

/** Booleans that the kernel fixes, or lets only one change of. */
const FIXED: Readonly<Partial<Record<OptionName, string>>> = {
  TCP_QUICKACK: 'not permanent',
  TCP_THIN_DUPACK: 'without effect since 4.13',
  SO_BSDCOMPAT: 'obsolete',
} as Record<string, string>;

const rows = Object.entries(optionTable) as [OptionName, OptionRow<unknown, unknown>][];

function open(kind: Kind): Socket<number> | string {
  const [family, type, proto] = SOCKETS[kind];
  try {
    return new Socket<number>(family, type, proto);
  } catch (error) {
    if (error instanceof SocketError && /NOSUPPORT|EPERM/.test(error.code))
      return `no ${kind} sockets here: ${error.code}`;
    throw error;
  }
}

const MISSING = /^(ENOPROTOOPT|EOPNOTSUPP|EPERM|ENOENT)$/;

for (const [name, row] of rows) {
  if (row.access !== 'rw' || name in UNTRIED) continue;
  const boolean = row.codec.kind === 'boolean' && !(name in FIXED);
  const trial = TRIALS[name];
  if (trial === undefined && !boolean) {
    if (name in FIXED) continue;
    test(`options has a trial for ${name}`, () => assert.fail('add a row to TRIALS or UNTRIED'));
    continue;
  }
  test(`options.set('${name}') is what options.get() then gives`, (t) => {
    if (row.number === undefined || row.level === undefined)
      return t.skip("this system's headers don't know it");
    const kinds = trial === undefined ? (Object.keys(SOCKETS) as Kind[]) : [trial.on];
    const fitting = kinds.find((kind) => {
      const [family, type, proto] = SOCKETS[kind];
      return row.applies({ family, type, proto });
    });
    assert.ok(fitting, 'no socket has it');
    const socket = open(fitting);
    if (typeof socket === 'string') return t.skip(socket);
    try {
      tryOption(socket, name, trial);
    } catch (error) {
      if (!(error instanceof SocketError && MISSING.test(error.code))) throw error;
      t.skip(`not in this kernel, or not allowed: ${error.message}`);
    } finally {
      socket.close();
    }
  });
}

function tryOption(socket: Socket<number>, name: OptionName, trial: Trial | undefined): void {
  const options = socket.options as unknown as {
    get(name: string): unknown;
    set(name: string, value: unknown): void;
  };
  trial?.first?.(socket);
  const before = options.get(name);
  const value = trial === undefined ? !before : trial.value;
  const reads = trial !== undefined && 'reads' in trial ? trial.reads : value;
  assert.notDeepEqual(before, reads);
  options.set(name, value);
  assert.deepEqual(options.get(name), reads);
}

for (const [name, trial] of Object.entries(TRIALS) as [OptionName, Trial][]) {
  if ('reads' in trial) continue;
  test(`the codec of ${name} makes bytes that it reads as the same value`, () => {
    const { codec } = optionTable[name] as OptionRow<unknown, unknown>;
    const bytes = Buffer.from(codec.encode(name, trial.value));
    assert.ok(bytes.length <= codec.size);
    assert.deepEqual(codec.decode(bytes), trial.value);
  });
}

test('options.get() gives the bytes that Python gets on the same descriptor', () => {
  const socket = new Socket();
  socket.options.set('SO_LINGER', { onoff: true, seconds: 9 });
  socket.options.set('TCP_CONGESTION', 'reno');
  socket.options.set('SO_SNDTIMEO', 2.5);
  const script = `
import json, socket, struct
s = socket.socket(fileno=3)
print(json.dumps([
  s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
  struct.unpack("ii", s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)),
  s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\\0").decode(),
  struct.unpack("ll", s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16)),
  s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
  s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[0],
  struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, 57, 8))[0],
]))`;
  const python = spawnSync('python3', ['-c', script], {
    stdio: ['ignore', 'pipe', 'inherit', socket.fileno()],
  });
  const { options } = socket;
  const linger = options.get('SO_LINGER');
  assert.deepEqual(JSON.parse(python.stdout.toString()), [
    options.get('SO_RCVBUF'),
    [Number(linger.onoff), linger.seconds],
    options.get('TCP_CONGESTION'),
    [2, 500_000],
    options.get('TCP_KEEPIDLE'),
    options.get('TCP_INFO').state,
    Number(options.get('SO_COOKIE')),
  ]);
  assert.equal(options.get('SO_SNDTIMEO'), 2.5);
  socket.close();
});

test('TCP_INFO tells of a connection what ss tells', async (t) => {
  const listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen();
  const client = new Socket();
  await client.connect(listener.getsockname());
  const [server] = await listener.accept();
  await client.sendall(Buffer.alloc(10_000));
  for (let got = 0; got < 10_000; ) got += (await server.recv(65536)).length;
  server.sendSync(Buffer.from('done'));
  await client.recv(10);
  const info = client.options.get('TCP_INFO');
  assert.equal(info.state, c.TCP_ESTABLISHED);
  assert.equal(info.bytesSent, 10_000);
  assert.equal(info.bytesAcked, 10_001);
  assert.equal(info.bytesReceived, 4);
  assert.equal(info.totalRetransSegments, 0);
  const { port } = client.getsockname();
  const ss = spawnSync('ss', ['-tinH', `sport = :${port}`], { encoding: 'utf8' });
  if (ss.status === 0) {
    const field = (name: string): number =>
      Number(new RegExp(`[ \t]${name}:([0-9.]+)`).exec(ss.stdout)?.[1]);
    assert.equal(info.bytesSent, field('bytes_sent'));
    assert.equal(info.sndMssBytes, field('mss'));
    assert.equal(info.sndCwndSegments, field('cwnd'));
    assert.equal(info.segsOut, field('segs_out'));
    assert.equal((info.rttUs / 1000).toFixed(3), field('rtt').toFixed(3));
    assert.equal((info.minRttUs as number) / 1000, field('minrtt'));
    assert.ok(ss.stdout.includes(`wscale:${info.sndWscale},${info.rcvWscale}`));
  } else t.diagnostic('ss is not installed: compared with what was sent only');
  for (const socket of [client, server, listener]) socket.close();
});

test('SO_PEERCRED, SO_PEERGROUPS and SO_PEERPIDFD tell who is at the other end', () => {
  const [left, right] = socketpair();
  const { pid, uid, gid } = left.options.get('SO_PEERCRED');
  assert.deepEqual([pid, uid, gid], [process.pid, process.getuid?.(), process.getgid?.()]);
  const own = process.getgroups?.() ?? [];
  const groups = left.options.get('SO_PEERGROUPS');
  assert.ok(groups.every((group) => own.includes(group)));
  if (c.SO_PEERPIDFD !== undefined) close(left.options.get('SO_PEERPIDFD'));
  left.close();
  right.close();
});

test('SO_ATTACH_FILTER lets through what the program says, and SO_DETACH_FILTER everything', async () => {
  const [left, right] = socketpair(c.AF_UNIX, c.SOCK_DGRAM);
  right.options.set('SO_ATTACH_FILTER', PROGRAM);
  left.sendSync(Buffer.from('abc'));
  left.sendSync(Buffer.from('abcd'));
  assert.equal((await right.recv(10)).toString(), 'abcd');
  assert.deepEqual(right.options.get('SO_ATTACH_FILTER'), PROGRAM);
  // The number alone, with little room: the kernel must not write past it.
  assert.throws(() => right.getsockopt(c.SOL_SOCKET, c.SO_ATTACH_FILTER, 24), { code: 'EINVAL' });
  right.options.set('SO_DETACH_FILTER', null);
  left.sendSync(Buffer.from('a'));
  assert.equal((await right.recv(10)).toString(), 'a');
  assert.throws(() => right.options.set('SO_ATTACH_FILTER', []), { code: 'EINVAL' });
  left.close();
  right.close();
});

test('IP_ADD_MEMBERSHIP, its source-specific kin and MCAST_… join groups that the kernel lists', () => {
  const socket = new Socket(c.AF_INET, c.SOCK_DGRAM);
  const { options } = socket;
  const joined = { group: '239.1.2.3', interface: 'lo' };
  options.set('IP_ADD_MEMBERSHIP', joined);
  assert.throws(() => options.set('IP_ADD_MEMBERSHIP', joined), { code: 'EADDRINUSE' });
  options.set('IP_BLOCK_SOURCE', {
    group: joined.group,
    source: '127.0.0.2',
    address: '127.0.0.1',
  });
  options.set('IP_UNBLOCK_SOURCE', {
    group: joined.group,
    source: '127.0.0.2',
    address: '127.0.0.1',
  });
  options.set('IP_DROP_MEMBERSHIP', joined);
  assert.throws(() => options.set('IP_DROP_MEMBERSHIP', joined), { code: 'EADDRNOTAVAIL' });
  const one = { group: '232.1.2.3', source: '127.0.0.2' };
  options.set('IP_ADD_SOURCE_MEMBERSHIP', { ...one, address: '127.0.0.1' });
  options.set('IP_DROP_SOURCE_MEMBERSHIP', { ...one, address: '127.0.0.1' });
  options.set('MCAST_JOIN_SOURCE_GROUP', { ...one, interface: 'lo' });
  options.set('MCAST_LEAVE_SOURCE_GROUP', { ...one, interface: 'lo' });
  options.set('MCAST_JOIN_GROUP', joined);
  options.set('MCAST_LEAVE_GROUP', joined);
  assert.throws(() => options.set('MCAST_LEAVE_GROUP', joined), { code: 'EADDRNOTAVAIL' });
  socket.close();
});

test('IPV6_JOIN_GROUP joins on an interface, by name or index', () => {
  const socket = new Socket(c.AF_INET6, c.SOCK_DGRAM);
  socket.options.set('IPV6_JOIN_GROUP', { group: 'ff02::1234', interface: 'lo' });
  assert.throws(
    () => socket.options.set('IPV6_JOIN_GROUP', { group: 'ff02::1234', interface: 1 }),
    { code: 'EADDRINUSE' },
  );
  socket.options.set('IPV6_LEAVE_GROUP', { group: 'ff02::1234', interface: 1 });
  socket.close();
});

test("a group that was joined gets what is sent to it, and one that was left doesn't", async () => {
  const receiver = new Socket(c.AF_INET, c.SOCK_DGRAM);
  receiver.bind({ host: '', port: 0 });
  receiver.options.set('IP_MULTICAST_ALL', false);
  const sender = new Socket(c.AF_INET, c.SOCK_DGRAM);
  sender.options.set('IP_MULTICAST_IF', { interface: 'lo' });
  const { port } = receiver.getsockname();
  const group = { group: '239.9.8.7', address: '127.0.0.1' };
  receiver.options.set('IP_ADD_MEMBERSHIP', group);
  await sender.sendto(Buffer.from('in'), { host: group.group, port });
  assert.equal((await receiver.recv(10)).toString(), 'in');
  receiver.options.set('IP_DROP_MEMBERSHIP', group);
  await sender.sendto(Buffer.from('out'), { host: group.group, port });
  receiver.settimeout(0);
  await assert.rejects(receiver.recv(10), { code: 'EAGAIN' });
  receiver.close();
  sender.close();
});

test('IP_MSFILTER keeps out the sources it names', async () => {
  const receiver = new Socket(c.AF_INET, c.SOCK_DGRAM);
  receiver.bind({ host: '', port: 0 });
  const { port } = receiver.getsockname();
  const group = { group: '239.9.8.6', address: '127.0.0.1' };
  const filter = { ...group, mode: c.MCAST_EXCLUDE, sources: ['127.0.0.3', '127.0.0.4'] };
  assert.throws(() => receiver.options.set('IP_MSFILTER', filter), SocketError);
  receiver.options.set('IP_ADD_MEMBERSHIP', group);
  receiver.options.set('IP_MSFILTER', filter);
  for (const host of ['127.0.0.3', '127.0.0.4', '127.0.0.5']) {
    using sender = new Socket(c.AF_INET, c.SOCK_DGRAM);
    sender.bind({ host, port: 0 });
    sender.options.set('IP_MULTICAST_IF', { interface: 'lo' });
    await sender.sendto(Buffer.from(host), { host: group.group, port });
  }
  assert.equal((await receiver.recv(20)).toString(), '127.0.0.5');
  receiver.close();
});

test('TCP_MD5SIG lets in who has the key, and nobody else', async (t) => {
  const listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen();
  const key = Buffer.from('a key of both');
  try {
    listener.options.set('TCP_MD5SIG', { address: '127.0.0.1', key });
  } catch (error) {
    listener.close();
    return t.skip(`not in this kernel: ${String(error)}`);
  }
  const stranger = new Socket();
  stranger.settimeout(0.05);
  await assert.rejects(stranger.connect(listener.getsockname()), { name: 'TimeoutError' });
  const friend = new Socket();
  friend.options.set('TCP_MD5SIG', { address: '127.0.0.1', key });
  await friend.connect(listener.getsockname());
  for (const socket of [stranger, friend, listener]) socket.close();
  return undefined;
});

test('NETLINK_ADD_MEMBERSHIP is in NETLINK_LIST_MEMBERSHIPS', () => {
  const socket = new Socket(c.AF_NETLINK, c.SOCK_RAW, c.NETLINK_ROUTE);
  socket.options.set('NETLINK_ADD_MEMBERSHIP', 1);
  socket.options.set('NETLINK_ADD_MEMBERSHIP', 5);
  assert.deepEqual(socket.options.get('NETLINK_LIST_MEMBERSHIPS'), [1, 5]);
  socket.options.set('NETLINK_DROP_MEMBERSHIP', 1);
  assert.deepEqual(socket.options.get('NETLINK_LIST_MEMBERSHIPS'), [5]);
  socket.close();
});

test('options.set() refuses a wrong value before any system call', () => {
  const socket = new Socket();
  // A closed socket would give EBADF, were the kernel asked.
  socket.close();
  const wrong: [string, unknown, string][] = [
    ['SO_KEEPALIVE', 1, 'ERR_INVALID_ARG_TYPE'],
    ['SO_PRIORITY', '1', 'ERR_INVALID_ARG_TYPE'],
    ['SO_PRIORITY', 2 ** 31, 'ERR_OUT_OF_RANGE'],
    ['TCP_KEEPIDLE', 0, 'ERR_OUT_OF_RANGE'],
    ['SO_LINGER', { onoff: true }, 'ERR_INVALID_ARG_TYPE'],
    ['SO_LINGER', null, 'ERR_INVALID_ARG_TYPE'],
    ['SO_RCVTIMEO', -1, 'ERR_OUT_OF_RANGE'],
    ['SO_RCVTIMEO', Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['SO_BINDTODEVICE', 'a'.repeat(16), 'ERR_OUT_OF_RANGE'],
    ['SO_ATTACH_FILTER', [{ code: 6 }], 'ERR_INVALID_ARG_TYPE'],
    ['SO_ATTACH_FILTER', Array.from({ length: 4097 }, () => PROGRAM[0]), 'ERR_OUT_OF_RANGE'],
    ['SO_DETACH_FILTER', 0, 'ERR_INVALID_ARG_TYPE'],
    ['IP_ADD_MEMBERSHIP', '224.0.0.1', 'ERR_INVALID_ARG_TYPE'],
    ['IP_ADD_MEMBERSHIP', {}, 'ERR_INVALID_ARG_TYPE'],
    ['TCP_MD5SIG', { address: '::1', key: Buffer.alloc(81) }, 'ERR_OUT_OF_RANGE'],
    ['ICMP6_FILTER', [256], 'ERR_OUT_OF_RANGE'],
    ['TCP_INFO', {}, 'ERR_INVALID_ARG_VALUE'],
    ['toString', 1, 'ERR_INVALID_ARG_VALUE'],
  ];
  const options = socket.options as unknown as { set(name: string, value: unknown): void };
  for (const [name, value, code] of wrong)
    assert.throws(() => options.set(name, value), { code }, `${name} ${String(value)}`);
  assert.throws(() => socket.options.get('IP_ADD_MEMBERSHIP' as 'IP_TTL'), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  assert.throws(() => socket.options.get('SO_KEEPALIVE'), { code: 'EBADF' });
});

test('options.list() names every option of the socket, with its value or why there is none', () => {
  const socket = new Socket();
  const listed = new Map(socket.options.list().map((option) => [option.name, option]));
  assert.equal(listed.get('TCP_NODELAY')?.value, false);
  assert.equal(listed.get('TCP_KEEPIDLE')?.unit, 's');
  assert.equal(listed.get('IP_MTU')?.error?.code, 'ENOTCONN');
  assert.equal(listed.get('SO_ERROR')?.value, undefined);
  assert.equal(listed.has('UDP_CORK'), false);
  assert.equal(listed.has('SO_PEERCRED'), false);
  socket.close();
});

test('every option of SOL_SOCKET in the headers is in the table', () => {
  const without: Readonly<Record<string, RegExp>> = {
    'variants that SO_RCVTIMEO and the like stand for': /_(OLD|NEW)$/,
    'levels, error queue and socket kinds of their own': /^SO_(EE|HCI|L2CAP|RFCOMM|SCO|RDS)_/,
    'another name of one that is there': /^SO_(DETACH_BPF|GET_FILTER)$/,
    'getpeername() gives it': /^SO_PEERNAME$/,
    'obsolete, ignored by the kernel': /^SO_BSDCOMPAT$/,
    "of VMware's VMCI transport, and one that Linux doesn't implement":
      /^SO_VM_SOCKETS_(PEER_HOST_VM_ID|TRUSTED|NONBLOCK_TXRX)$/,
    'of memory that is mapped, which needs more than a socket': /^SO_DEVMEM_/,
  };
  const missing = Object.entries(c)
    .filter(([name, value]) => name.startsWith('SO_') && value !== undefined)
    .map(([name]) => name)
    .filter((name) => !(name in optionTable))
    .filter((name) => !Object.values(without).some((pattern) => pattern.test(name)));
  assert.deepEqual(missing, []);
});

/** Never called: it compiles, or doesn't, where it should. */
export function typesOfOptions(socket: Socket): void {
  const linger: { readonly onoff: boolean; readonly seconds: number } =
    socket.options.get('SO_LINGER');
  const cookie: bigint = socket.options.get('SO_COOKIE');
  const name: string = socket.options.get('TCP_CONGESTION');
  void [linger, cookie, name];
  // @ts-expect-error: a number is no boolean
  socket.options.set('SO_KEEPALIVE', 1);
  // @ts-expect-error: it can only be read
  socket.options.set('TCP_INFO', {});
  // @ts-expect-error: it can only be set
  socket.options.get('IP_ADD_MEMBERSHIP');
  // @ts-expect-error: no such option
  socket.options.get('SO_NONSENSE');
}

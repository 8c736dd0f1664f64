import * as c from '../../constants/index.ts';
import { filterProgram, numbers } from './list-codecs.ts';
import { memoryInfo } from './memory-info.ts';
import { flag32, i32, u32 } from './native-words.ts';
import { optionsAt, type SocketKind } from './option-row.ts';
import {
  action,
  boolean,
  count,
  identifier,
  integer,
  text,
  timeval,
  unsigned,
} from './scalar-codecs.ts';
import { interfaceNumber } from './address-codecs.ts';
import { struct } from './struct-codec.ts';

const all = optionsAt(c.SOL_SOCKET, () => true);
const isUnix = ({ family }: SocketKind): boolean => family === c.AF_UNIX;
const isInternet = ({ family }: SocketKind): boolean =>
  family === c.AF_INET || family === c.AF_INET6;
const unix = optionsAt(c.SOL_SOCKET, isUnix);
const internet = optionsAt(c.SOL_SOCKET, isInternet);
const datagram = optionsAt(c.SOL_SOCKET, ({ type }) => type !== c.SOCK_STREAM);

// Room for 256 supplementary groups; a process that has more gets ERANGE.
const MAX_GROUPS = 256;

/** Source: socket(7), unix(7); SO_TXTIME and later ones: asm-generic/socket.h, net/core/sock.c. */
export const socketLevelOptions = {
  SO_ACCEPTCONN: all.readOnly(c.SO_ACCEPTCONN, boolean),
  /** Readable: what is attached. */
  SO_ATTACH_FILTER: all.readWrite(c.SO_ATTACH_FILTER, filterProgram),
  /** A descriptor of bpf(2). */
  SO_ATTACH_BPF: all.writeOnly(c.SO_ATTACH_BPF, integer(undefined, 0)),
  SO_ATTACH_REUSEPORT_CBPF: internet.writeOnly(c.SO_ATTACH_REUSEPORT_CBPF, filterProgram),
  SO_ATTACH_REUSEPORT_EBPF: internet.writeOnly(c.SO_ATTACH_REUSEPORT_EBPF, integer(undefined, 0)),
  SO_BINDTODEVICE: all.readWrite(c.SO_BINDTODEVICE, text(c.IFNAMSIZ)),
  SO_BINDTOIFINDEX: all.readWrite(c.SO_BINDTOIFINDEX, interfaceNumber),
  SO_BPF_EXTENSIONS: all.readOnly(c.SO_BPF_EXTENSIONS, integer()),
  SO_BROADCAST: all.readWrite(c.SO_BROADCAST, boolean),
  SO_BUF_LOCK: all.readWrite(c.SO_BUF_LOCK, integer(undefined, 0, 3)),
  SO_BUSY_POLL: all.readWrite(c.SO_BUSY_POLL, integer('µs', 0)),
  SO_BUSY_POLL_BUDGET: all.readWrite(c.SO_BUSY_POLL_BUDGET, integer(undefined, 0, 0xffff)),
  /** 1: the connection is bad, look for another route. */
  SO_CNX_ADVICE: internet.writeOnly(c.SO_CNX_ADVICE, integer()),
  SO_COOKIE: all.readOnly(c.SO_COOKIE, identifier),
  SO_DEBUG: all.readWrite(c.SO_DEBUG, boolean),
  SO_DETACH_FILTER: all.writeOnly(c.SO_DETACH_FILTER, action),
  SO_DETACH_REUSEPORT_BPF: internet.writeOnly(c.SO_DETACH_REUSEPORT_BPF, action),
  SO_DOMAIN: all.readOnly(c.SO_DOMAIN, integer()),
  SO_DONTROUTE: all.readWrite(c.SO_DONTROUTE, boolean),
  /** Reading clears it. */
  SO_ERROR: all.takes(c.SO_ERROR, integer()),
  SO_INCOMING_CPU: all.readWrite(c.SO_INCOMING_CPU, integer()),
  SO_INCOMING_NAPI_ID: all.readOnly(c.SO_INCOMING_NAPI_ID, unsigned()),
  SO_INQ: unix.readWrite(c.SO_INQ, boolean),
  SO_KEEPALIVE: all.readWrite(c.SO_KEEPALIVE, boolean),
  SO_LINGER: all.readWrite(c.SO_LINGER, struct({ onoff: flag32, seconds: i32 })),
  /** Once true it stays. */
  SO_LOCK_FILTER: all.readWrite(c.SO_LOCK_FILTER, boolean),
  SO_MARK: all.readWrite(c.SO_MARK, unsigned()),
  /** Infinity: no limit. */
  SO_MAX_PACING_RATE: all.readWrite(c.SO_MAX_PACING_RATE, count('bytes/s')),
  SO_MEMINFO: all.readOnly(c.SO_MEMINFO, memoryInfo),
  SO_NETNS_COOKIE: all.readOnly(c.SO_NETNS_COOKIE, identifier),
  SO_NOFCS: all.readWrite(c.SO_NOFCS, boolean),
  SO_NO_CHECK: all.readWrite(c.SO_NO_CHECK, boolean),
  SO_OOBINLINE: all.readWrite(c.SO_OOBINLINE, boolean),
  SO_PASSCRED: unix.readWrite(c.SO_PASSCRED, boolean),
  SO_PASSPIDFD: unix.readWrite(c.SO_PASSPIDFD, boolean),
  SO_PASSRIGHTS: unix.readWrite(c.SO_PASSRIGHTS, boolean),
  SO_PASSSEC: unix.readWrite(c.SO_PASSSEC, boolean),
  /** -1: MSG_PEEK starts where receiving does. */
  SO_PEEK_OFF: all.readWrite(c.SO_PEEK_OFF, integer('bytes', -1)),
  SO_PEERCRED: unix.readOnly(c.SO_PEERCRED, struct({ pid: i32, uid: u32, gid: u32 })),
  SO_PEERGROUPS: unix.readOnly(c.SO_PEERGROUPS, numbers(MAX_GROUPS)),
  /** Reading makes a descriptor, which is the caller's to close. */
  SO_PEERPIDFD: unix.takes(c.SO_PEERPIDFD, integer()),
  SO_PEERSEC: unix.readOnly(c.SO_PEERSEC, text(4096)),
  SO_PREFER_BUSY_POLL: all.readWrite(c.SO_PREFER_BUSY_POLL, boolean),
  SO_PRIORITY: all.readWrite(c.SO_PRIORITY, integer()),
  SO_PROTOCOL: all.readOnly(c.SO_PROTOCOL, integer()),
  /** Twice what was set: the kernel counts its own part. */
  SO_RCVBUF: all.readWrite(c.SO_RCVBUF, integer('bytes', 0)),
  SO_RCVBUFFORCE: all.writeOnly(c.SO_RCVBUFFORCE, integer('bytes', 0)),
  SO_RCVLOWAT: all.readWrite(c.SO_RCVLOWAT, integer('bytes', 0)),
  SO_RCVMARK: all.readWrite(c.SO_RCVMARK, boolean),
  SO_RCVPRIORITY: all.readWrite(c.SO_RCVPRIORITY, boolean),
  /** 0: none. For who takes the descriptor over; the library's own waits go by `settimeout`. */
  SO_RCVTIMEO: all.readWrite(c.SO_RCVTIMEO, timeval),
  SO_RESERVE_MEM: all.readWrite(c.SO_RESERVE_MEM, integer('bytes', 0)),
  SO_REUSEADDR: all.readWrite(c.SO_REUSEADDR, boolean),
  SO_REUSEPORT: internet.readWrite(c.SO_REUSEPORT, boolean),
  SO_RXQ_OVFL: datagram.readWrite(c.SO_RXQ_OVFL, boolean),
  SO_SELECT_ERR_QUEUE: all.readWrite(c.SO_SELECT_ERR_QUEUE, boolean),
  /** Twice what was set, likewise. */
  SO_SNDBUF: all.readWrite(c.SO_SNDBUF, integer('bytes', 0)),
  SO_SNDBUFFORCE: all.writeOnly(c.SO_SNDBUFFORCE, integer('bytes', 0)),
  SO_SNDLOWAT: all.readOnly(c.SO_SNDLOWAT, integer('bytes')),
  SO_SNDTIMEO: all.readWrite(c.SO_SNDTIMEO, timeval),
  SO_TIMESTAMP: all.readWrite(c.SO_TIMESTAMP, boolean),
  SO_TIMESTAMPNS: all.readWrite(c.SO_TIMESTAMPNS, boolean),
  /** SOF_TIMESTAMPING_… flags. */
  SO_TIMESTAMPING: all.readWrite(c.SO_TIMESTAMPING, unsigned()),
  SO_TXREHASH: internet.readWrite(c.SO_TXREHASH, integer(undefined, -1, 1)),
  SO_TXTIME: all.readWrite(c.SO_TXTIME, struct({ clockid: i32, flags: u32 })),
  SO_TYPE: all.readOnly(c.SO_TYPE, integer()),
  SO_WIFI_STATUS: all.readWrite(c.SO_WIFI_STATUS, boolean),
  SO_ZEROCOPY: all.readWrite(c.SO_ZEROCOPY, boolean),
} as const;

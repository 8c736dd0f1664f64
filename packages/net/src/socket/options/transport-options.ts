import * as c from '../../constants/index.ts';
import { tcpMd5Key } from './address-codecs.ts';
import { count64, i32, u16, u32, u64, u8 } from './native-words.ts';
import { optionsAt, type SocketKind } from './option-row.ts';
import { binary, boolean, integer, text, unsigned } from './scalar-codecs.ts';
import { struct, structs } from './struct-codec.ts';
import { tcpInfo } from './tcp-info.ts';

const isIp = ({ family }: SocketKind): boolean => family === c.AF_INET || family === c.AF_INET6;
const has =
  (type: number, ...protos: (number | undefined)[]) =>
  (kind: SocketKind): boolean =>
    isIp(kind) && kind.type === type && protos.includes(kind.proto);

const tcp = optionsAt(c.IPPROTO_TCP, has(c.SOCK_STREAM, 0, c.IPPROTO_TCP, c.IPPROTO_MPTCP));
const udp = optionsAt(c.IPPROTO_UDP, has(c.SOCK_DGRAM, 0, c.IPPROTO_UDP));
const udplite = optionsAt(c.IPPROTO_UDPLITE, has(c.SOCK_DGRAM, c.IPPROTO_UDPLITE));
const mptcp = optionsAt(c.SOL_MPTCP, has(c.SOCK_STREAM, c.IPPROTO_MPTCP));
const sctp = optionsAt(c.IPPROTO_SCTP, (kind) => isIp(kind) && kind.proto === c.IPPROTO_SCTP);

// TCP_CA_NAME_MAX, TCP_ULP_NAME_MAX of net/tcp.h.
const NAME_BYTES = 16;
// Headers of a SYN: IP and TCP with their options, and what tunnels put before.
const MAX_SYN_BYTES = 1024;
// union tcp_cc_info of linux/inet_diag.h.
const CC_INFO_BYTES = 20;

/** Source: tcp(7), linux/tcp.h. TCP_AO_…, TCP_MD5SIG_EXT and TCP_ZEROCOPY_RECEIVE: raw only. */
export const tcpOptions = {
  /** Of the congestion control that is in use: its part of union tcp_cc_info. */
  TCP_CC_INFO: tcp.readOnly(c.TCP_CC_INFO, binary(CC_INFO_BYTES)),
  TCP_CONGESTION: tcp.readWrite(c.TCP_CONGESTION, text(NAME_BYTES)),
  TCP_CORK: tcp.readWrite(c.TCP_CORK, boolean),
  TCP_DEFER_ACCEPT: tcp.readWrite(c.TCP_DEFER_ACCEPT, integer('s', 0)),
  TCP_DELACK_MAX_US: tcp.readWrite(c.TCP_DELACK_MAX_US, integer('µs', 0)),
  /** Of a listener: connections that may wait for the handshake's end. */
  TCP_FASTOPEN: tcp.readWrite(c.TCP_FASTOPEN, integer(undefined, 0)),
  TCP_FASTOPEN_CONNECT: tcp.readWrite(c.TCP_FASTOPEN_CONNECT, boolean),
  /** One key of 16 bytes, or two. */
  TCP_FASTOPEN_KEY: tcp.readWrite(c.TCP_FASTOPEN_KEY, binary(32)),
  TCP_FASTOPEN_NO_COOKIE: tcp.readWrite(c.TCP_FASTOPEN_NO_COOKIE, boolean),
  TCP_INFO: tcp.readOnly(c.TCP_INFO, tcpInfo),
  TCP_INQ: tcp.readWrite(c.TCP_INQ, boolean),
  TCP_IS_MPTCP: tcp.readOnly(c.TCP_IS_MPTCP, boolean),
  TCP_KEEPCNT: tcp.readWrite(c.TCP_KEEPCNT, integer(undefined, 1, 127)),
  TCP_KEEPIDLE: tcp.readWrite(c.TCP_KEEPIDLE, integer('s', 1, 32767)),
  TCP_KEEPINTVL: tcp.readWrite(c.TCP_KEEPINTVL, integer('s', 1, 32767)),
  /** -1: an orphan leaves FIN_WAIT2 at once. */
  TCP_LINGER2: tcp.readWrite(c.TCP_LINGER2, integer('s', -1)),
  TCP_MAXSEG: tcp.readWrite(c.TCP_MAXSEG, integer('bytes', 0)),
  TCP_MD5SIG: tcp.writeOnly(c.TCP_MD5SIG, tcpMd5Key),
  TCP_NODELAY: tcp.readWrite(c.TCP_NODELAY, boolean),
  TCP_NOTSENT_LOWAT: tcp.readWrite(c.TCP_NOTSENT_LOWAT, unsigned('bytes')),
  TCP_QUEUE_SEQ: tcp.readWrite(c.TCP_QUEUE_SEQ, unsigned()),
  /** Not permanent: the kernel goes back to delayed acknowledgements as it sees fit. */
  TCP_QUICKACK: tcp.readWrite(c.TCP_QUICKACK, boolean),
  TCP_REPAIR: tcp.readWrite(c.TCP_REPAIR, integer(undefined, -1, 1)),
  TCP_REPAIR_OPTIONS: tcp.writeOnly(
    c.TCP_REPAIR_OPTIONS,
    structs({ optCode: u32, optVal: u32 }, 8),
  ),
  TCP_REPAIR_QUEUE: tcp.readWrite(c.TCP_REPAIR_QUEUE, integer(undefined, 0, 2)),
  TCP_REPAIR_WINDOW: tcp.readWrite(
    c.TCP_REPAIR_WINDOW,
    struct({ sndWl1: u32, sndWnd: u32, maxWindow: u32, rcvWnd: u32, rcvWup: u32 }),
  ),
  TCP_RTO_MAX_MS: tcp.readWrite(c.TCP_RTO_MAX_MS, integer('ms', 0)),
  TCP_RTO_MIN_US: tcp.readWrite(c.TCP_RTO_MIN_US, integer('µs', 0)),
  /** Reading frees them. */
  TCP_SAVED_SYN: tcp.takes(c.TCP_SAVED_SYN, binary(MAX_SYN_BYTES)),
  TCP_SAVE_SYN: tcp.readWrite(c.TCP_SAVE_SYN, integer(undefined, 0, 2)),
  TCP_SYNCNT: tcp.readWrite(c.TCP_SYNCNT, integer(undefined, 1, 127)),
  TCP_THIN_DUPACK: tcp.readWrite(c.TCP_THIN_DUPACK, boolean),
  TCP_THIN_LINEAR_TIMEOUTS: tcp.readWrite(c.TCP_THIN_LINEAR_TIMEOUTS, boolean),
  TCP_TIMESTAMP: tcp.readWrite(c.TCP_TIMESTAMP, unsigned()),
  TCP_TX_DELAY: tcp.readWrite(c.TCP_TX_DELAY, integer('µs', 0)),
  TCP_ULP: tcp.readWrite(c.TCP_ULP, text(NAME_BYTES)),
  /** 0: the system's default. */
  TCP_USER_TIMEOUT: tcp.readWrite(c.TCP_USER_TIMEOUT, integer('ms', 0)),
  TCP_WINDOW_CLAMP: tcp.readWrite(c.TCP_WINDOW_CLAMP, integer('bytes', 0)),
} as const;

/** Source: udp(7), udplite(7). */
export const udpOptions = {
  UDP_CORK: udp.readWrite(c.UDP_CORK, boolean),
  /** UDP_ENCAP_ESPINUDP, … */
  UDP_ENCAP: udp.readWrite(c.UDP_ENCAP, integer(undefined, 0)),
  UDP_GRO: udp.readWrite(c.UDP_GRO, boolean),
  UDP_NO_CHECK6_RX: udp.readWrite(c.UDP_NO_CHECK6_RX, boolean),
  UDP_NO_CHECK6_TX: udp.readWrite(c.UDP_NO_CHECK6_TX, boolean),
  /** What a long send is cut into; 0: it isn't. */
  UDP_SEGMENT: udp.readWrite(c.UDP_SEGMENT, integer('bytes', 0, 0xffff)),
  UDPLITE_RECV_CSCOV: udplite.readWrite(c.UDPLITE_RECV_CSCOV, integer('bytes', 0)),
  UDPLITE_SEND_CSCOV: udplite.readWrite(c.UDPLITE_SEND_CSCOV, integer('bytes', 0)),
} as const;

/** Source: linux/mptcp.h. */
export const mptcpOptions = {
  /** Fields after `csumEnabled` came with later kernels; a field the kernel lacks is left out. */
  MPTCP_INFO: mptcp.readOnly(
    c.MPTCP_INFO,
    struct({
      subflows: u8,
      addAddrSignal: u8,
      addAddrAccepted: u8,
      subflowsMax: u8,
      addAddrSignalMax: u8,
      addAddrAcceptedMax: u8,
      flags: u32,
      token: u32,
      writeSeq: u64,
      sndUna: u64,
      rcvNxt: u64,
      localAddrUsed: u8,
      localAddrMax: u8,
      csumEnabled: u8,
      retransmits: u32,
      bytesRetrans: count64,
      bytesSent: count64,
      bytesReceived: count64,
      bytesAcked: count64,
      subflowsTotal: u8,
      endpLaminarMax: u8,
      endpFullmeshMax: u8,
      lastDataSentMs: u32,
      lastDataRecvMs: u32,
      lastAckRecvMs: u32,
    }),
  ),
} as const;

/** Source: RFC 6458, section 8; linux/sctp.h. */
export const sctpOptions = {
  SCTP_ASSOCINFO: sctp.readWrite(
    c.SCTP_ASSOCINFO,
    struct({
      assocId: i32,
      maxRetransmissions: u16,
      peerDestinations: u16,
      peerRwndBytes: u32,
      localRwndBytes: u32,
      cookieLifeMs: u32,
    }),
  ),
  SCTP_AUTOCLOSE: sctp.readWrite(c.SCTP_AUTOCLOSE, integer('s', 0)),
  SCTP_DISABLE_FRAGMENTS: sctp.readWrite(c.SCTP_DISABLE_FRAGMENTS, boolean),
  SCTP_FRAGMENT_INTERLEAVE: sctp.readWrite(c.SCTP_FRAGMENT_INTERLEAVE, integer(undefined, 0, 2)),
  SCTP_INITMSG: sctp.readWrite(
    c.SCTP_INITMSG,
    struct({
      outStreams: u16,
      maxInStreams: u16,
      maxAttempts: u16,
      maxInitTimeoutMs: u16,
    }),
  ),
  SCTP_I_WANT_MAPPED_V4_ADDR: sctp.readWrite(c.SCTP_I_WANT_MAPPED_V4_ADDR, boolean),
  SCTP_NODELAY: sctp.readWrite(c.SCTP_NODELAY, boolean),
  SCTP_PARTIAL_DELIVERY_POINT: sctp.readWrite(c.SCTP_PARTIAL_DELIVERY_POINT, integer('bytes', 0)),
  SCTP_RECVNXTINFO: sctp.readWrite(c.SCTP_RECVNXTINFO, boolean),
  SCTP_RECVRCVINFO: sctp.readWrite(c.SCTP_RECVRCVINFO, boolean),
  SCTP_REUSE_PORT: sctp.readWrite(c.SCTP_REUSE_PORT, boolean),
  SCTP_RTOINFO: sctp.readWrite(
    c.SCTP_RTOINFO,
    struct({ assocId: i32, initialMs: u32, maxMs: u32, minMs: u32 }),
  ),
} as const;

import { count64, u16, u32, u8 } from './native-words.ts';
import type { OptionCodec } from './option-codec.ts';
import { struct, type StructValue } from './struct-codec.ts';

// struct tcp_info of linux/tcp.h, tcpi_… in its order. Two bytes of bit fields follow `options`;
// `wscales` and `flags` stand for them here and are taken apart below.
const first = {
  /** TCP_ESTABLISHED, … */
  state: u8,
  /** TCP_CA_Open, … */
  caState: u8,
  retransmits: u8,
  probes: u8,
  backoff: u8,
  /** TCPI_OPT_TIMESTAMPS, TCPI_OPT_SACK, … */
  options: u8,
  wscales: u8,
  flags: u8,
  rtoUs: u32,
  atoUs: u32,
  sndMssBytes: u32,
  rcvMssBytes: u32,
  unackedSegments: u32,
  sackedSegments: u32,
  lostSegments: u32,
  retransSegments: u32,
  fackets: u32,
  lastDataSentMs: u32,
  lastAckSentMs: u32,
  lastDataRecvMs: u32,
  lastAckRecvMs: u32,
  pmtuBytes: u32,
  rcvSsthreshBytes: u32,
  rttUs: u32,
  rttvarUs: u32,
  /** 2^31 - 1: none yet. */
  sndSsthreshSegments: u32,
  sndCwndSegments: u32,
  advmssBytes: u32,
  reorderingSegments: u32,
  rcvRttUs: u32,
  rcvSpaceBytes: u32,
  totalRetransSegments: u32,
} as const;

// Each came with a later kernel than the one before it.
const later = {
  /** Infinity: no limit. */
  pacingRateBytesPerSecond: count64,
  maxPacingRateBytesPerSecond: count64,
  bytesAcked: count64,
  bytesReceived: count64,
  segsOut: u32,
  segsIn: u32,
  notsentBytes: u32,
  /** 2^32 - 1: not measured yet. */
  minRttUs: u32,
  dataSegsIn: u32,
  dataSegsOut: u32,
  deliveryRateBytesPerSecond: count64,
  busyTimeUs: count64,
  rwndLimitedUs: count64,
  sndbufLimitedUs: count64,
  deliveredSegments: u32,
  deliveredCeSegments: u32,
  bytesSent: count64,
  bytesRetrans: count64,
  dsackDups: u32,
  reordSeen: u32,
  rcvOoopackSegments: u32,
  sndWndBytes: u32,
  rcvWndBytes: u32,
  rehash: u32,
  totalRto: u16,
  totalRtoRecoveries: u16,
  totalRtoTimeMs: u32,
  // Linux 6.18. The word after these changed its meaning since, so that it is left out.
  receivedCeSegments: u32,
  deliveredE1Bytes: u32,
  deliveredE0Bytes: u32,
  deliveredCeBytes: u32,
  receivedE1Bytes: u32,
  receivedE0Bytes: u32,
  receivedCeBytes: u32,
} as const;

/**
 * What the kernel knows of a TCP connection: tcpi_… with the unit in the name, as far as the
 * running kernel goes. Source: tcp(7), linux/tcp.h.
 */
export type TcpInfo = Omit<StructValue<typeof first>, 'wscales' | 'flags'> & {
  readonly sndWscale: number;
  readonly rcvWscale: number;
  readonly deliveryRateAppLimited: boolean;
  /** TFO_STATUS_UNSPEC, TFO_COOKIE_UNAVAILABLE, TFO_DATA_NOT_ACKED, TFO_SYN_RETRANSMITTED: 0…3. */
  readonly fastopenClientFail: number;
} & Partial<StructValue<typeof later>>;

const raw = struct({ ...first, ...later });

export const tcpInfo: OptionCodec<TcpInfo, never> = {
  kind: 'struct',
  size: raw.size,
  decode(bytes) {
    const { wscales, flags, ...info } = raw.decode(bytes);
    return {
      ...info,
      sndWscale: wscales & 15,
      rcvWscale: wscales >> 4,
      deliveryRateAppLimited: (flags & 1) !== 0,
      fastopenClientFail: (flags >> 1) & 3,
    };
  },
  encode(): never {
    throw new TypeError('Cannot set TCP_INFO: it can only be read');
  },
};

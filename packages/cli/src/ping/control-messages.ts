import {
  type Address,
  AF_INET,
  AF_INET6,
  decodeAddress,
  IP_RECVERR,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVERR,
  type ReceivedAncillary,
  SCM_TIMESTAMPING,
  SOL_SOCKET,
} from '@sockeye/net';

/** struct sock_extended_err with the offender that follows it. Source: linux/errqueue.h. */
export interface ExtendedError {
  readonly errno: number;
  /** SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_TIMESTAMPING, … */
  readonly origin: number;
  /** Type and code of the ICMP message. */
  readonly type: number;
  readonly code: number;
  /** The path's MTU, or the pointer of a parameter problem. */
  readonly info: number;
  /** Who sent the ICMP message; undefined where nobody did. */
  readonly offender: string | undefined;
}

const EXTENDED_ERROR_BYTES = 16;
const TIMESPEC_BYTES = 16;

function find(
  ancillary: readonly ReceivedAncillary[],
  level: number,
  type: number | undefined,
): Buffer | undefined {
  return ancillary.find((message) => message.level === level && message.type === type)?.data;
}

/** The error that came with a message of the error queue. Source: ip(7), IP_RECVERR. */
export function extendedError(ancillary: readonly ReceivedAncillary[]): ExtendedError | undefined {
  const data =
    find(ancillary, IPPROTO_IP, IP_RECVERR) ?? find(ancillary, IPPROTO_IPV6, IPV6_RECVERR);
  if (data === undefined || data.length < EXTENDED_ERROR_BYTES) return undefined;
  return {
    errno: data.readUInt32LE(0),
    origin: data.readUInt8(4),
    type: data.readUInt8(5),
    code: data.readUInt8(6),
    info: data.readUInt32LE(8),
    offender: offenderOf(data.subarray(EXTENDED_ERROR_BYTES)),
  };
}

function offenderOf(sockaddr: Buffer): string | undefined {
  const family = sockaddr.length < 2 ? 0 : sockaddr.readUInt16LE(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  return hostOf(decodeAddress(sockaddr));
}

/** The host of an internet address. */
export function hostOf(address: Address | null): string | undefined {
  return address !== null && 'host' in address ? address.host : undefined;
}

/** The time to live, or hop limit, that a packet arrived with. */
export function timeToLive(ancillary: readonly ReceivedAncillary[]): number | undefined {
  const data = find(ancillary, IPPROTO_IP, IP_TTL) ?? find(ancillary, IPPROTO_IPV6, IPV6_HOPLIMIT);
  return data?.readInt32LE(0);
}

/**
 * When the kernel sent or received a packet, in nanoseconds of CLOCK_REALTIME. struct
 * scm_timestamping has three times, of which the first is the software's.
 * Source: Documentation/networking/timestamping.rst.
 */
export function kernelTime(ancillary: readonly ReceivedAncillary[]): bigint | undefined {
  const data = find(ancillary, SOL_SOCKET, SCM_TIMESTAMPING);
  if (data === undefined || data.length < TIMESPEC_BYTES) return undefined;
  const time = data.readBigInt64LE(0) * 1_000_000_000n + data.readBigInt64LE(8);
  return time === 0n ? undefined : time;
}

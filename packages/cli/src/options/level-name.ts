import {
  IPPROTO_DCCP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_MPTCP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOL_SOCKET,
} from '@sockeye/net';
import { constantName } from './describe-value.ts';

// Several levels have a second name (SOL_TCP); these are the ones that POSIX and the man pages use.
const NAMES: ReadonlyMap<number | undefined, string> = new Map([
  [SOL_SOCKET, 'SOL_SOCKET'],
  [IPPROTO_IP, 'IPPROTO_IP'],
  [IPPROTO_IPV6, 'IPPROTO_IPV6'],
  [IPPROTO_ICMPV6, 'IPPROTO_ICMPV6'],
  [IPPROTO_TCP, 'IPPROTO_TCP'],
  [IPPROTO_UDP, 'IPPROTO_UDP'],
  [IPPROTO_MPTCP, 'SOL_MPTCP'],
  [IPPROTO_SCTP, 'IPPROTO_SCTP'],
  [IPPROTO_DCCP, 'SOL_DCCP'],
]);

/** An option's level as setsockopt(2) is told it: `SOL_SOCKET`, `IPPROTO_TCP`. */
export function levelName(level: number): string {
  return NAMES.get(level) ?? constantName('SOL_', level) ?? String(level);
}

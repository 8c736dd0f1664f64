import type { TcpInfo } from '../../socket/index.ts';
import type { MemoryInfo } from '../../socket/options/memory-info.ts';

/** The process that has a socket open. */
export interface SocketOwner {
  readonly pid: number;
  /** The name in /proc/PID/comm: a program may choose it freely. */
  readonly process: string;
}

/** A socket of this machine's network namespace. */
export interface ListedSocket {
  readonly family: 'inet' | 'inet6' | 'unix' | 'packet' | 'netlink';
  /** `tcp`, `udp`, `raw`; `stream`, `dgram`, `seqpacket` of Unix, packet and netlink sockets. */
  readonly type: string;
  /** TCP's names (RFC 9293) for all families, as ss has it: `ESTABLISHED`, `LISTEN`, `UNCONNECTED`. */
  readonly state: string;
  /** `127.0.0.1:80`, `[::1]:80`, a path, `@abstract`, an interface or a number; empty where there is none. */
  readonly local: string;
  readonly peer: string;
  /** Bytes that wait to be read; of a listener the connections that wait to be accepted; of packet and netlink sockets the kernel's memory for what waits, as ss has it. */
  readonly receiveQueue: number;
  /** Bytes that were not acknowledged; of a listener the most that may wait. */
  readonly sendQueue: number;
  readonly inode: number;
  /** Of the user who made it. */
  readonly uid?: number;
  /** Those whose descriptors may be read. */
  readonly owners: readonly SocketOwner[];
  /** What `SO_MEMINFO` says; not of TIME-WAIT, which is no socket any more. */
  readonly memory?: MemoryInfo;
  /** Of a TCP connection. */
  readonly tcpInfo?: TcpInfo;
  /** Of TCP, such as `cubic`. */
  readonly congestionControl?: string;
}

/** A socket before its owners are known. */
export type OwnerlessSocket = Omit<ListedSocket, 'owners'>;

// net/tcp_states.h; RFC 9293's names. 7 is what a socket without a connection has.
const STATES = [
  'UNKNOWN',
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECEIVED',
] as const;

/** Every name that a socket's `state` may have, but for states this version doesn't know. */
export const socketStates: readonly string[] = [...new Set(STATES.slice(1)), 'UNCONNECTED'];

/** A state's name; `UNCONNECTED` for state 7 of what is no TCP. */
export function stateName(state: number, isTcp: boolean): string {
  if (state === 7 && !isTcp) return 'UNCONNECTED';
  return STATES[state] ?? `UNKNOWN-${state}`;
}

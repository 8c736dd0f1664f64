import type { DatagramsAhead } from './datagrams-ahead.ts';

/** What few descriptors ever need; apart from them, since a server has one for each connection. */
export class SeldomState {
  /** Waiters of `poll`, which any event wakes, and what they wait for. */
  readonly pollers = new Map<() => void, number>();
  /** How many of them are pending operations. */
  polling = 0;
  referenced = true;
  closeReason: Error | undefined;
  keptError: Error | undefined;
  /** Datagrams that the next receives get before any from the kernel. */
  ahead: DatagramsAhead | undefined;
  /** When a datagram was sent last (JoinedSends), and whether some wait for others. */
  segment = -1;
  joinQueued = false;
}

import type { IcmpSocketOptions } from './open-icmp-socket.ts';

/** What `sockeye ping` was told. */
export interface PingOptions extends IcmpSocketOptions {
  readonly version: 4 | 6 | undefined;
  /** Requests to send; Infinity until it is interrupted. */
  readonly count: number;
  readonly intervalMs: number;
  /** Bytes of data in a request. */
  readonly size: number;
  /** How long to wait after the last request where nothing has come yet. */
  readonly timeoutMs: number;
  readonly quiet: boolean;
  readonly json: boolean;
}

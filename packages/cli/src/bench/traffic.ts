import type { Socket } from '@sockeye/net';
import type { BenchOptions } from './bench-options.ts';
import type { Measurements } from './measurements.ts';
import type { RunClock } from './run-clock.ts';

/** One connection's part of a run. */
export interface Traffic {
  /** Exchanges messages until the clock's signal aborts. Rejects when the connection breaks. */
  run(): Promise<void>;
  /** Lets one more message out, on a schedule. Without a schedule it is not called. */
  offer(): void;
  /** Messages that were offered and have no answer; 0 without a schedule. */
  readonly unanswered: number;
}

/** What the traffic of a connection needs. */
export interface TrafficContext<Connected = Socket<number>> {
  readonly socket: Connected;
  readonly options: BenchOptions;
  readonly clock: RunClock;
  readonly measurements: Measurements;
  /** Whether each send is a message that arrives whole. */
  readonly keepsMessages: boolean;
  /** When a message of this connection is to be sent, counted from 0; undefined without a schedule. */
  readonly dueAt: ((index: number) => number) | undefined;
}

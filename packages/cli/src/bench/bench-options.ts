import type { BenchMode } from './bench-protocol.ts';

/** What `sockeye bench` was told. */
export interface BenchOptions {
  readonly mode: BenchMode;
  /** Bytes of a message. */
  readonly size: number;
  readonly connections: number;
  /** Messages under way on a connection. */
  readonly depth: number;
  /** Messages a second over all connections, on a schedule; undefined as fast as answers come. */
  readonly rate: number | undefined;
  readonly durationMs: number;
  /** What comes before, and isn't measured. */
  readonly warmupMs: number;
  /** When a datagram counts as lost. */
  readonly timeoutMs: number;
}

/**
 * Messages that may be under way on a connection on a schedule: they must be able to pile up, or the
 * client would hold the schedule back.
 */
export const SCHEDULED_DEPTH = 1024;

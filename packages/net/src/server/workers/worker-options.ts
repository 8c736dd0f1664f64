import { availableParallelism } from 'node:os';
import { checkInteger } from '../../errors/index.ts';
import type { SocketServerOptions } from '../socket-server-options.ts';

// Arbitrary: more threads or processes than any machine of today has use for.
const MAX_WORKERS = 1_024;

/** Options of the Threading… servers. */
export interface ThreadingOptions extends SocketServerOptions {
  /**
   * How many threads there are. Default what the machine can run at once. With as many as
   * `concurrency`, no handler ever shares a thread.
   */
  readonly threads?: number | undefined;
}

/** Options of the Forking… servers. */
export interface ForkingOptions extends SocketServerOptions {
  /**
   * How many processes there are. Default what the machine can run at once. With as many as
   * `concurrency`, no handler ever shares a process.
   */
  readonly processes?: number | undefined;
}

/** How many workers an option asks for. */
export function workerCount(name: string, value: number | undefined): number {
  return value === undefined ? availableParallelism() : checkInteger(name, value, 1, MAX_WORKERS);
}

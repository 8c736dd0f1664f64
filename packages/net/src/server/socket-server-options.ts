import { invalidType, invalidValue } from '../errors/index.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { checkServerOptions, type ServerOptions } from './server-options.ts';

/** Options that only `serve` has: a handler's request is a Socket here, and nothing else. */
const ONLY_SERVE = ['tls', 'proxyProtocol', 'highWaterMark', 'dualstackIpv6'] as const;

/**
 * Options of the classes of socketserver: those of `serve` that fit, with its defaults, and what
 * Python has as arguments and class variables. Deadlines count for connections, not for datagrams.
 */
export interface SocketServerOptions
  extends Omit<ServerOptions, (typeof ONLY_SERVE)[number] | 'maxConnections'> {
  /** Open connections; more wait in the backlog. Default min(10,000, half the descriptor limit). */
  readonly maxConnections?: number | undefined;
  /** Binds and listens in the constructor (the default); else call serverBind, serverActivate. */
  readonly bindAndActivate?: boolean | undefined;
  /** Binds where a connection of before lingers (SO_REUSEADDR). Default the class's: false. */
  readonly allowReuseAddress?: boolean | undefined;
  /** What handlers find in `this.server.handlerData`; it must be cloneable for other threads. */
  readonly handlerData?: unknown;
}

const OWN = ['bindAndActivate', 'allowReuseAddress', 'handlerData', 'threads', 'processes'];

/** Refuses what TypeScript would have refused, names that mean nothing among it. */
export function checkSocketServerOptions(options: SocketServerOptions): void {
  for (const name of ONLY_SERVE) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined)
      throw invalidValue(name, 'no such option here, but with serve()', value);
  }
  const { maxConnections } = options as ServerOptions;
  if (maxConnections instanceof ConnectionLimit)
    throw invalidType('maxConnections', 'a number', maxConnections);
  checkServerOptions(options, OWN);
}

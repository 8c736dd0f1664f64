import type { TlsOptions } from 'node:tls';
import { checkOptionNames, invalidType, outOfRange } from '../errors/index.ts';
import { descriptorLimit } from '../socket/descriptor-limit.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { ServerLogger } from './server-log.ts';

/** Which peers may say, in a PROXY protocol header, who they speak for. */
export interface ProxyProtocolOptions {
  /** Addresses and networks (`10.0.0.0/8`, `::1`) whose header is read; others are refused one. */
  readonly trusted: readonly string[];
  /** From the accept to the header's last byte, whatever the other deadlines are. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** What every server understands. `Infinity` disables a limit; omitted fields have the defaults. */
export interface ServerOptions {
  /**
   * Open connections; more wait in the backlog. Default min(10,000, half the descriptor limit). A
   * ConnectionLimit holds for all servers together that are given it.
   */
  readonly maxConnections?: number | ConnectionLimit | undefined;
  /** Open connections from one address; more are closed at once. Default Infinity. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Addresses and networks that may connect; all others are closed at once. Default everybody. */
  readonly allow?: readonly string[] | undefined;
  /** Addresses and networks that may not connect, whatever `allow` says. Default nobody. */
  readonly deny?: readonly string[] | undefined;
  /** From the accept to the first byte. Default 10,000. */
  readonly firstByteTimeoutMs?: number | undefined;
  /** Without a byte in either direction. Default 60,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Without progress of a send. Default 30,000. */
  readonly writeTimeoutMs?: number | undefined;
  /** What `drain` gives the handlers. Default 5,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Connections that may wait to be accepted. Default Socket.listen's. */
  readonly backlog?: number | undefined;
  /** Lets other processes or threads listen on the same port (SO_REUSEPORT). */
  readonly reusePort?: boolean | undefined;
  /** An AF_INET6 listener takes IPv4 connections too. */
  readonly dualstackIpv6?: boolean | undefined;
  /** Bytes that `framed`, or TLS, may hold for a peer before senders wait. Default 65,536. */
  readonly highWaterMark?: number | undefined;
  /**
   * Sends small pieces at once (TCP_NODELAY). Sends of one turn leave together anyway, so holding
   * them back gains nothing. Default true.
   */
  readonly noDelay?: boolean | undefined;
  /** Encrypts: what tls.createSecureContext and tls.TLSSocket take. */
  readonly tls?: TlsOptions | undefined;
  /** Reads a PROXY protocol header (v1 or v2) before the first byte of trusted peers. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Handlers at once; 1 is Python's one after the other. Default Infinity. */
  readonly concurrency?: number | undefined;
  /**
   * Where the server logs to, such as `pino()`: connections at level info when they end, refusals and
   * pauses at warn, failed handlers at error. Without one, failures are process warnings.
   */
  readonly logger?: ServerLogger | undefined;
  /** Aborting it closes the server. */
  readonly signal?: AbortSignal | undefined;
}

/** The options with every default filled in. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly highWaterMark: number;
  readonly concurrency: number;
  readonly proxyHeaderTimeoutMs: number;
}

const MAX_CONNECTIONS = 10_000;

const KNOWN: ReadonlySet<string> = new Set<keyof ServerOptions>([
  'maxConnections',
  'maxConnectionsPerAddress',
  'allow',
  'deny',
  'firstByteTimeoutMs',
  'idleTimeoutMs',
  'writeTimeoutMs',
  'drainTimeoutMs',
  'backlog',
  'reusePort',
  'dualstackIpv6',
  'highWaterMark',
  'noDelay',
  'tls',
  'proxyProtocol',
  'concurrency',
  'logger',
  'signal',
]);

/**
 * Refuses what is no object, and names that mean nothing: a limit that is misspelt is no limit.
 *
 * @param more names that mean something beside ServerOptions'
 */
export function checkServerOptions(options: unknown, more: readonly string[] = []): void {
  checkOptionNames(options, [...KNOWN, ...more]);
}

function limit(name: string, value: unknown, fallback: number, least: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || Number.isNaN(value)) throw invalidType(name, 'a number', value);
  if (value < least) throw outOfRange(name, `at least ${least}`, value);
  return value;
}

/** Checks the limits and fills in the defaults (safety.md 11–12). */
export function serverLimits(options: ServerOptions): ServerLimits {
  const { maxConnections } = options;
  const most = Math.max(1, Math.min(MAX_CONNECTIONS, Math.floor(descriptorLimit() / 2)));
  return {
    maxConnections:
      maxConnections instanceof ConnectionLimit
        ? maxConnections.max
        : limit('maxConnections', maxConnections, most, 1),
    maxConnectionsPerAddress: limit(
      'maxConnectionsPerAddress',
      options.maxConnectionsPerAddress,
      Number.POSITIVE_INFINITY,
      1,
    ),
    firstByteTimeoutMs: limit('firstByteTimeoutMs', options.firstByteTimeoutMs, 10_000, 1),
    idleTimeoutMs: limit('idleTimeoutMs', options.idleTimeoutMs, 60_000, 1),
    writeTimeoutMs: limit('writeTimeoutMs', options.writeTimeoutMs, 30_000, 1),
    drainTimeoutMs: limit('drainTimeoutMs', options.drainTimeoutMs, 5_000, 0),
    highWaterMark: limit('highWaterMark', options.highWaterMark, 64 * 1024, 1),
    proxyHeaderTimeoutMs: limit(
      'proxyProtocol.timeoutMs',
      options.proxyProtocol?.timeoutMs,
      10_000,
      1,
    ),
    concurrency: limit('concurrency', options.concurrency, Number.POSITIVE_INFINITY, 1),
  };
}

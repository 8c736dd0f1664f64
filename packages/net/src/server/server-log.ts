import { channel } from 'node:diagnostics_channel';
import type { Address } from '../address/index.ts';
import { invalidType } from '../errors/index.ts';
import type { SocketError } from '../errors/index.ts';

/** What a server logs to: pino's loggers, and what has the same four methods. */
export interface ServerLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const opened = channel('sockeye:connection:open');
const ended = channel('sockeye:connection:end');
const failed = channel('sockeye:connection:error');
const refused = channel('sockeye:connection:refuse');
const paused = channel('sockeye:accept:pause');

/** Of which connection something is told: what subscribers get beside `server`. */
export type Subject = { readonly connection: unknown } | { readonly request: unknown };

/** How a connection went. */
export interface EndedConnection {
  readonly ageMs: number;
  /** Bytes; undefined where nobody counted. */
  readonly received?: number;
  readonly sent?: number;
}

/** Refuses what can't be logged to. */
export function checkLogger(logger: unknown): void {
  if (logger === undefined) return;
  const methods = (logger ?? {}) as Record<string, unknown>;
  const isLogger = ['debug', 'info', 'warn', 'error'].every(
    (level) => typeof methods[level] === 'function',
  );
  if (!isLogger)
    throw invalidType(
      'logger',
      "an object with debug, info, warn and error, such as pino's",
      logger,
    );
}

/**
 * Tells what happens to a server: on the diagnostics channels `sockeye:…` always, and to a logger
 * where there is one. Text of a peer's is in the fields only, which loggers escape.
 */
export class ServerLog {
  readonly #server: object;
  readonly #logger: ServerLogger | undefined;

  constructor(server: object, logger: ServerLogger | undefined) {
    checkLogger(logger);
    this.#server = server;
    this.#logger = logger;
  }

  /** Whether there is a logger: who has one needs no warnings of the process. */
  get isOn(): boolean {
    return this.#logger !== undefined;
  }

  listening(local: Address): void {
    this.#logger?.info({ local }, 'listening');
  }

  draining(connections: number): void {
    this.#logger?.info({ connections }, 'draining');
  }

  closed(): void {
    this.#logger?.info({}, 'closed');
  }

  opened(subject: Subject, remote: Address | null): void {
    if (opened.hasSubscribers) opened.publish({ server: this.#server, ...subject });
    this.#logger?.debug({ remote }, 'connection open');
  }

  /** @param isQuiet for datagrams, of which there are more than anybody wants to read of */
  ended(subject: Subject, remote: Address | null, how: EndedConnection, isQuiet = false): void {
    if (ended.hasSubscribers) ended.publish({ server: this.#server, ...subject });
    if (this.#logger === undefined) return;
    const { ageMs: durationMs, received: receivedBytes, sent: sentBytes } = how;
    const fields = { remote, durationMs, receivedBytes, sentBytes };
    if (isQuiet) this.#logger.debug(fields, 'request done');
    else this.#logger.info(fields, 'connection closed');
  }

  refused(reason: string, remote: Address | null): void {
    refused.publish({ server: this.#server, reason, address: remote });
    this.#logger?.warn({ remote, reason }, 'connection refused');
  }

  /** @param isOutside the peer's, the network's or the server's doing, and no fault of a handler's */
  failed(subject: Subject, remote: Address | null, error: unknown, isOutside: boolean): void {
    failed.publish({ server: this.#server, ...subject, error });
    if (isOutside) this.#logger?.info({ remote, err: error }, 'connection lost');
    else this.#logger?.error({ remote, err: error }, 'handler failed');
  }

  listenerFailed(error: unknown): void {
    this.#logger?.error({ err: error }, 'listener failed');
  }

  paused(error: SocketError, pauseMs: number): void {
    paused.publish({ server: this.#server, error, pauseMs });
    this.#logger?.warn({ err: error, pauseMs }, 'accepting pauses');
  }
}

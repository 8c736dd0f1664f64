import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, IPPROTO_TCP, type Socket, SocketError, TCP_NODELAY } from '@sockeye/net';
import { type AddressList, type ConnectionLimit, readProxyHeader } from '@sockeye/net/server';
import type { Transport } from '../address/address.ts';
import { endpointOf } from '../address/endpoint-of.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import type { TlsAcceptor } from '../channel/tls-acceptor.ts';
import { reasonOf } from '../explain-error.ts';
import { CommandError } from '../command-error.ts';
import { Connection, DeadlineError } from './connection.ts';
import type { Reporter } from '../serve/reporter.ts';
import type { Limits } from '../serve/serve-options.ts';

// accept(2): the process, the system or its memory is exhausted, which others may end.
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1000;
// A deadline is kept to a tenth of the shortest of them, or to a second.
const SHORTEST_TICK_MS = 10;
const LONGEST_TICK_MS = 1000;

/** What a session does with its connection; the connection ends when it is done. */
export type Session = (connection: Connection) => Promise<void>;

export interface StreamServerOptions {
  readonly transport: Transport;
  readonly session: Session;
  readonly limits: Limits;
  /** Shared with the other servers of the command. */
  readonly limit: ConnectionLimit;
  readonly reporter: Reporter;
  /** Encrypts, for tls://. */
  readonly acceptor?: TlsAcceptor | undefined;
  /** Whose PROXY protocol header is read; others have none. */
  readonly trustedProxies?: AddressList | undefined;
}

/** Accepts connections of one listening socket, and runs a session on each. */
export class StreamServer {
  #listener: Socket<number>;
  #options: StreamServerOptions;
  #connections = new Set<Connection>();
  #stop = new AbortController();
  #clock: NodeJS.Timeout;
  #whenEmpty: (() => void) | undefined;

  constructor(listener: Socket<number>, options: StreamServerOptions) {
    this.#listener = listener;
    this.#options = options;
    this.#clock = setInterval(() => this.#checkDeadlines(), tickMs(options.limits)).unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Serves until `drain` or `close`. Rejects when the listener itself fails. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await hasRoom(this.#options.limit, signal);
        const [socket, remote] = await this.#listener.accept({ signal });
        retryMs = FIRST_RETRY_MS;
        this.#take(socket, remote);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SocketError) || !EXHAUSTED.has(error.code)) throw error;
        this.#options.reporter.warn(error.code, `cannot accept: ${reasonOf(error)}; trying again`);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }

  #take(socket: Socket<number>, address: Address): void {
    const { transport, limits, limit, reporter } = this.#options;
    const connection = new Connection(
      new SocketChannel(endpointOf(transport, address), socket),
      address,
      limits,
    );
    this.#connections.add(connection);
    limit.take();
    reporter.tell({ type: 'connected', peer: connection.name, connections: limit.count });
    void this.#serve(connection);
  }

  async #serve(connection: Connection): Promise<void> {
    const { session, limit, reporter } = this.#options;
    let reason = 'done';
    try {
      await this.#prepare(connection);
      await session(connection);
      await connection.finish();
    } catch (error) {
      reason = this.#reason(connection, error);
    } finally {
      connection.dispose();
      this.#connections.delete(connection);
      limit.release();
      if (this.#connections.size === 0) this.#whenEmpty?.();
    }
    reporter.tell({
      type: 'disconnected',
      peer: connection.name,
      received: connection.received,
      sent: connection.sent,
      seconds: (performance.now() - connection.startedAt) / 1000,
      reason,
      connections: limit.count,
    });
  }

  async #prepare(connection: Connection): Promise<void> {
    const { transport, acceptor, trustedProxies } = this.#options;
    const { socket } = connection;
    if (transport === 'tcp' || transport === 'tls') socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    if (trustedProxies?.has(connection.remote)) {
      // From the socket, so that nothing behind the header is taken.
      connection.remote = (await readProxyHeader(socket)).source ?? connection.remote;
    }
    if (acceptor === undefined) return;
    connection.channel = await acceptor.secure(connection.channel.endpoint, socket, (close) => {
      connection.abandon = close;
    });
  }

  /** A connection's failure is its own; only a failure that no network explains is told aloud. */
  #reason({ closedBecause, name }: Connection, error: unknown): string {
    const cause = closedBecause ?? error;
    if (cause instanceof DeadlineError) return cause.message;
    const reason = reasonOf(cause);
    if (!isOfNetwork(cause)) {
      this.#options.reporter.warn('session', `the session of ${name} failed: ${reason}`);
    }
    return reason;
  }

  #checkDeadlines(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.checkDeadlines(now);
  }

  /** Stops listening; whoever connected before still is a client. */
  stopListening(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#listener.settimeout(0);
    try {
      while (this.#options.limit.count < this.#options.limit.max) {
        this.#take(...this.#listener.acceptSync());
      }
    } catch {
      // EAGAIN: nobody is left in the backlog. Any other error ends it just as well.
    }
    this.#listener.close();
  }

  /** Stops listening and waits until every client has gone, or for `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.stopListening();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        // setTimeout takes at most 2^31 - 1 ms.
        const timer = setTimeout(resolve, Math.min(timeoutMs, 0x7fffffff));
        this.#whenEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.close();
  }

  /** Closes the listener and all connections. */
  close(): void {
    this.#stop.abort();
    clearInterval(this.#clock);
    this.#listener.close();
    for (const connection of this.#connections) connection.close('the server ended');
  }
}

async function hasRoom(limit: ConnectionLimit, signal: AbortSignal): Promise<void> {
  while (!limit.hasRoom && !signal.aborted) {
    await new Promise<void>((resolve) => {
      limit.onceReleased(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** What the peer, the network or TLS did; all else is a fault of the session's. */
function isOfNetwork(cause: unknown): boolean {
  if (cause instanceof SocketError || cause instanceof CommandError) return true;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string';
}

function tickMs({ firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs }: Limits): number {
  const shortest = Math.min(firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs) / 10;
  return Math.min(Math.max(shortest, SHORTEST_TICK_MS), LONGEST_TICK_MS);
}

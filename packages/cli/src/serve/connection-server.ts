import type { TlsOptions } from 'node:tls';
import { type Address, type Socket, SocketError } from '@sockeye/net';
import {
  type Connection,
  type ConnectionLimit,
  ConnectionTimeoutError,
  Server,
} from '@sockeye/net/server';
import type { Transport } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import { tapped } from '../channel/tapped-channel.ts';
import { formatDuration } from '../duration.ts';
import { reasonOf } from '../explain-error.ts';
import { placeOfError } from '../place-of-error.ts';
import type { Access } from './access.ts';
import { Conversation, type Session } from './conversation.ts';
import type { Observer, Watch } from './observer.ts';
import type { Reporter } from './reporter.ts';
import type { Limits } from './serve-options.ts';

export interface ConnectionServerOptions {
  readonly transport: Transport;
  readonly session: Session;
  readonly limits: Limits;
  /** Shared with the other servers of the command. */
  readonly limit: ConnectionLimit;
  readonly reporter: Reporter;
  readonly access?: Access | undefined;
  readonly observer?: Observer | undefined;
  /** Encrypts, for tls://. */
  readonly tls?: TlsOptions | undefined;
  /** Takes a client's end without close_notify for its end. */
  readonly isLenient?: boolean | undefined;
  /** Whose PROXY protocol header is read; others have none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Bytes that may be decrypted before they are asked for; default 64 KiB. */
  readonly highWaterMark?: number | undefined;
}

/** A client, and who looks on. */
interface Client {
  readonly conversation: Conversation;
  readonly watch: Watch | undefined;
}

/** The library's server on one listening socket, told of as the command tells of its servers. */
export class ConnectionServer {
  #options: ConnectionServerOptions;
  #server: Server;
  #clients = new Map<Connection, Client>();
  #reasons = new WeakMap<Connection, string>();
  #finished: Promise<void>;
  #finish: (error?: Error) => void = () => undefined;

  constructor(listener: Socket<number>, options: ConnectionServerOptions) {
    const { limits, limit, tls, trustedProxies, highWaterMark, access } = options;
    this.#options = options;
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Whoever calls run() is told.
    this.#finished.catch(() => undefined);
    this.#server = new Server(listener, (connection) => this.#serve(connection), {
      maxConnections: limit,
      allow: access?.allow,
      deny: access?.deny,
      firstByteTimeoutMs: limits.firstByteTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      writeTimeoutMs: limits.writeTimeoutMs,
      tls,
      highWaterMark,
      proxyProtocol: trustedProxies && { trusted: trustedProxies },
    });
    this.#server.on('connection', (connection) => this.#begin(connection));
    this.#server.on('end', (connection) => this.#end(connection));
    this.#server.on('disconnect', (error, connection) =>
      this.#reasons.set(connection, outsideReason(error, limits)),
    );
    this.#server.on('refused', (reason, address) => this.#refused(reason, address));
    this.#server.on('error', (error, connection) => this.#failed(error, connection));
    this.#server.on('exhausted', (error) =>
      options.reporter.warn(error.code, `cannot accept: ${reasonOf(error)}; trying again`),
    );
  }

  get connections(): number {
    return this.#server.connections;
  }

  /** Settles when it is drained or closed. Rejects when the listener itself fails. */
  run(): Promise<void> {
    return this.#finished;
  }

  #begin(connection: Connection): void {
    const { transport, reporter, limit, observer, isLenient = false } = this.#options;
    const conversation = new Conversation(transport, connection, isLenient);
    const watch = observer?.watch({
      transport,
      local: connection.local,
      remote: connection.remote,
      socket: connection.socket,
    });
    conversation.channel = tapped(conversation.channel, watch?.taps ?? []);
    this.#clients.set(connection, { conversation, watch });
    reporter.tell({ type: 'connected', peer: conversation.name, connections: limit.count });
  }

  async #serve(connection: Connection): Promise<void> {
    const conversation = this.#clients.get(connection)?.conversation;
    // `connection` is told of before its handler is called.
    if (conversation === undefined) return;
    await this.#options.session(conversation);
    await conversation.finish();
  }

  #end(connection: Connection): void {
    const { reporter, limit } = this.#options;
    const reason = this.#reasons.get(connection);
    const client = this.#clients.get(connection);
    if (client === undefined) {
      // Who doesn't agree on keys never was a client.
      this.#refused(reason ?? 'it left', connection.remote);
      return;
    }
    const { conversation, watch } = client;
    this.#clients.delete(connection);
    watch?.ended(reason);
    reporter.tell({
      type: 'disconnected',
      peer: conversation.name,
      received: conversation.received,
      sent: conversation.sent,
      seconds: (performance.now() - conversation.startedAt) / 1000,
      reason: conversation.closedBecause ?? reason ?? 'done',
      connections: limit.count,
    });
  }

  #refused(reason: string, address: Address | null): void {
    const { transport, reporter, limit } = this.#options;
    const peer = formatAddress(transport, address);
    reporter.tell({ type: 'refused', peer, reason, connections: limit.count });
  }

  /** What neither the peer nor the network explains is told aloud. */
  #failed(error: unknown, connection: Connection | undefined): void {
    if (connection === undefined) {
      this.#finish(error as Error);
      return;
    }
    const conversation = this.#clients.get(connection)?.conversation;
    const reason = reasonOf(error);
    this.#reasons.set(connection, reason);
    // What it was closed for is no fault of the session, whatever the session makes of it.
    if (conversation?.closedBecause !== undefined) return;
    const name = conversation?.name ?? formatAddress(this.#options.transport, connection.remote);
    this.#options.reporter.warn(
      'session',
      `the session of ${name} failed: ${reason}${placeOfError(error)}`,
    );
  }

  /** Stops listening and waits until every client has gone, or for `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#server.drain({ timeoutMs });
    this.#finish();
  }

  /** Closes the listener and all connections. */
  close(): void {
    void this.#server.close();
    this.#finish();
  }
}

/** Why the peer, the network or a deadline ended it. */
function outsideReason(error: Error, { writeTimeoutMs }: Limits): string {
  if (
    error instanceof SocketError &&
    error.syscall === 'connection' &&
    error.code === 'ECONNABORTED'
  )
    return 'the server ended';
  if (!(error instanceof ConnectionTimeoutError)) return reasonOf(error);
  switch (error.deadline) {
    case 'proxy header':
      return 'its PROXY header did not come in time';
    case 'first byte':
      return 'its first byte did not come in time';
    case 'idle':
      return 'it was idle';
    case 'write':
      return `it took nothing for ${formatDuration(writeTimeoutMs)}`;
    default:
      return error.deadline satisfies never;
  }
}

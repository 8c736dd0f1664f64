// What `serve` runs: the listener, the connections with their handlers, and the end of both.

import { EventEmitter } from 'node:events';
import type { TlsOptions } from 'node:tls';
import type { Address } from '../address/index.ts';
import { ProtocolError } from '../codec/index.ts';
import { ECONNABORTED, SHUT_WR } from '../constants/index.ts';
import { invalidState, SocketError, TlsAlertError, TlsTruncatedError } from '../errors/index.ts';
import type { Descriptor } from '../socket/descriptor.ts';
import type { Socket } from '../socket/index.ts';
import { setNoDelay } from '../socket/set-no-delay.ts';
import { AcceptLoop } from './accept-loop.ts';
import { AddressList } from './address-list.ts';
import { connectionClock } from './connection-clock.ts';
import type { Connection } from './connection.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { ConnectionTimeoutError } from './connection-timeout-error.ts';
import { ownSocketFile } from './own-socket-file.ts';
import { PeerFilter, type Refusal } from './peer-filter.ts';
import { type ConnectionHost, PlainConnection } from './plain-connection.ts';
import type { ProxyHeader } from './proxy-protocol.ts';
import { readProxyHeader } from './read-proxy-header.ts';
import { ServerLog } from './server-log.ts';
import { newCounters, prometheusText, type ServerCounters } from './server-metrics.ts';
import {
  type ServerLimits,
  type ServerOptions,
  checkServerOptions,
  serverLimits,
} from './server-options.ts';
import { TlsAcceptor } from './tls-acceptor.ts';
import { TlsConnection } from './tls-connection.ts';

/** What a server does with a connection. The connection ends when it returns or throws. */
export type Handler = (connection: Connection, address: Address | null) => Promise<void> | void;

/** What a server may tell, on itself and on the diagnostics channels `sockeye:…`. */
export interface ServerEvents {
  /** A handler failed, or the listener did (then `connection` is undefined). */
  error: [error: unknown, connection?: Connection];
  /** The peer, the network, a deadline or the server's end ended a connection under its handler. */
  disconnect: [error: Error, connection: Connection];
  /** A connection begins or has ended. */
  connection: [connection: Connection];
  end: [connection: Connection];
  /** No descriptor or memory is free: accepting pauses. */
  exhausted: [error: SocketError, pauseMs: number];
  /** No more is accepted; handlers may finish. A chance to tell clients. */
  drain: [];
  /** A peer was turned away. */
  refused: [reason: string, address: Address | null];
}

// Arbitrary: how long and how much a peer may still send after the handler is done.
const LINGER_MS = 2_000;
const LINGER_BYTES = 1024 * 1024;

/** A running server. `serve` makes one. */
export class Server<Own extends Address = Address>
  extends EventEmitter<ServerEvents>
  implements AsyncDisposable
{
  readonly address: Own;
  readonly counters: ServerCounters = newCounters();
  #listener: Socket<number>;
  #handler: Handler;
  #tls: TlsAcceptor | undefined;
  #limits: ServerLimits;
  #log: ServerLog;
  #host: ConnectionHost;
  #filter: PeerFilter;
  #trusted: AddressList | undefined;
  #loop: AcceptLoop;
  #onEmpty: (() => void) | undefined;
  #listening = true;
  #closed = false;
  #draining: Promise<void> | undefined;
  #signal: AbortSignal | undefined;
  #removeFile: () => void;

  /** @param listener listens already; the server closes it */
  constructor(listener: Socket<number>, handler: Handler, options: ServerOptions = {}) {
    super();
    checkServerOptions(options);
    this.#limits = serverLimits(options);
    this.#log = new ServerLog(this, options.logger);
    this.#filter = new PeerFilter(
      options.allow,
      options.deny,
      this.#limits.maxConnectionsPerAddress,
    );
    this.#trusted =
      options.proxyProtocol === undefined
        ? undefined
        : new AddressList(options.proxyProtocol.trusted, 'proxyProtocol.trusted');
    const clock = connectionClock(this.#limits);
    this.#host = { clock, limits: this.#limits, onSettled: (plain) => this.#onSettled(plain) };
    this.#listener = listener;
    this.#handler = handler;
    this.#tls = options.tls === undefined ? undefined : new TlsAcceptor(options.tls);
    this.address = listener.getsockname() as Own;
    this.#removeFile = ownSocketFile(this.address);
    if (options.noDelay ?? true) setNoDelay(listener);
    const { maxConnections } = options;
    const limit =
      maxConnections instanceof ConnectionLimit
        ? maxConnections
        : new ConnectionLimit(this.#limits.maxConnections);
    this.#loop = new AcceptLoop(listener, this.#limits.concurrency, limit, {
      onConnection: (descriptor, address) => this.#take(descriptor, address),
      onExhausted: (error, pauseMs) => this.#pause(error, pauseMs),
      onFailed: (error) => {
        this.#log.listenerFailed(error);
        this.#report(error);
      },
    });
    this.#loop.start();
    this.#log.listening(this.address);
    this.#signal = options.signal;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal?.aborted) this.#onAbort();
  }

  readonly #onAbort = (): void => void this.close();

  /** Connections open now. */
  get connections(): number {
    return this.#host.clock.members.size;
  }

  /** Whether new connections are accepted: what a readiness check asks. */
  get ready(): boolean {
    return this.#listening;
  }

  /** The listening socket, to be handed to another process. */
  get listener(): Socket<number> {
    return this.#listener;
  }

  /** Certificates and keys for connections from now on; those that are open keep theirs. */
  setSecureContext(options: TlsOptions): void {
    if (this.#tls === undefined)
      throw invalidState('Cannot set certificates: the server has no TLS');
    this.#tls.setSecureContext(options);
  }

  /** Counters in Prometheus' text format. */
  metrics(): string {
    return prometheusText(this.counters, this.connections, this.ready);
  }

  /** Doesn't keep the process alive, listening or not. */
  unref(): this {
    this.#listener.unref();
    return this;
  }

  ref(): this {
    this.#listener.ref();
    return this;
  }

  /**
   * Stops listening at once, lets the handlers finish until the deadline, then ends what is left.
   * Who waits in the backlog by then is served too, as far as there is room.
   *
   * @param timeoutMs default the server's drainTimeoutMs
   */
  drain({ timeoutMs = this.#limits.drainTimeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#loop.acceptWaiting();
    this.stopListening();
    this.#log.draining(this.connections);
    this.emit('drain');
    // An accept that was done before the listener closed is delivered by now.
    await Promise.resolve();
    if (this.connections > 0) await this.#waitForHandlers(timeoutMs);
    await this.close();
  }

  #waitForHandlers(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      // setTimeout has no Infinity.
      const timer = setTimeout(resolve, Math.min(timeoutMs, 0x7fffffff));
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends everything now: connections that are open get a signal that aborts. */
  close(): Promise<void> {
    if (!this.#closed) this.#log.closed();
    this.#closed = true;
    this.stopListening();
    this.#host.clock.members.each((connection) => connection.end(closedByServer()));
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /**
   * Accepts no more, and keeps what is open.
   *
   * @param keepPath leave a Unix socket's file, since another process listens on it now
   */
  stopListening({ keepPath = false }: { keepPath?: boolean } = {}): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#loop.stop();
    this.#listener.close();
    if (!keepPath) this.#removeFile();
  }

  #take(descriptor: Descriptor, address: Address | null): void {
    const refusal = this.#closed ? 'closed' : this.#filter.enter(address);
    if (refusal !== undefined) {
      this.#refuse(refusal, descriptor, address);
      return;
    }
    this.counters.accepted++;
    const connection = new PlainConnection(descriptor, address, this.#host);
    if (this.#tls === undefined && !this.#trusted?.has(address)) {
      this.#handle(connection, connection);
    } else void this.#prepare(connection);
  }

  #refuse(refusal: Refusal | 'closed', descriptor: Descriptor, address: Address | null): void {
    descriptor.close();
    this.#loop.release();
    if (refusal === 'closed') return;
    this.counters.refused[refusal]++;
    this.#log.refused(refusal, address);
    this.emit('refused', refusal, address);
  }

  /** What comes before the handler: whom a proxy speaks for, and the keys. */
  async #prepare(plain: PlainConnection): Promise<void> {
    let connection: Connection = plain;
    try {
      if (this.#trusted?.has(plain.remote)) plain.speaksFor(await this.#proxyHeader(plain));
      if (this.#tls !== undefined) {
        const { highWaterMark } = plain;
        const stream = await this.#tls.secure(plain.socket, { highWaterMark });
        connection = new TlsConnection(plain, stream);
      }
    } catch (error) {
      this.#failed(error, connection, plain, false);
      this.#forget(plain, connection);
      return;
    }
    this.#handle(plain, connection);
  }

  /** Runs the handler. No function that awaits it: its frame is 600 bytes of a connection that idles. */
  #handle(plain: PlainConnection, connection: Connection): void {
    try {
      this.#begin(connection);
    } catch (error) {
      // As a handler that throws, once whoever accepts has gone on.
      void Promise.resolve().then(() => {
        this.#failed(error, connection, plain, false);
        this.#forget(plain, connection);
      });
      return;
    }
    plain.run(connection, () => this.#handler(connection, connection.remote));
  }

  /** The handler has returned, or failed; only the promise tells which. */
  #onSettled(plain: PlainConnection): void {
    const { handled, running } = plain;
    void running?.then(
      () => this.#end(plain, handled),
      (error) => {
        this.#failed(error, handled, plain, true);
        this.#forget(plain, handled);
      },
    );
  }

  #end(plain: PlainConnection, connection: Connection): void {
    if (plain === connection && plain.isDone) this.#forget(plain, connection);
    else void this.#endLater(plain, connection);
  }

  async #endLater(plain: PlainConnection, connection: Connection): Promise<void> {
    try {
      await this.#finish(plain, connection);
    } catch (error) {
      this.#failed(error, connection, plain, true);
    } finally {
      this.#forget(plain, connection);
    }
  }

  /** A proxy that is connected says so at once: it has its time even where clients have none. */
  async #proxyHeader(plain: PlainConnection): Promise<ProxyHeader> {
    const { proxyHeaderTimeoutMs: timeoutMs } = this.#limits;
    const late = (): void => plain.end(new ConnectionTimeoutError('proxy header', timeoutMs));
    const timer = setTimeout(late, Math.min(timeoutMs, 0x7fffffff)).unref();
    try {
      return await readProxyHeader(plain);
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(connection: Connection): void {
    this.#log.opened({ connection }, connection.remote);
    if (this.listenerCount('connection') > 0) this.emit('connection', connection);
  }

  /** Lets what was sent arrive: closing over unread bytes would reset the connection. */
  async #finish(plain: PlainConnection, connection: Connection): Promise<void> {
    if (connection instanceof TlsConnection) {
      await connection.shutdown();
      if (connection.hasUnread || plain.hasUnread) await linger(plain);
      return;
    }
    if (plain.isClosed) return;
    // Behind a sendall that the handler didn't wait for.
    if (plain.isSending) await plain.sendall(new Uint8Array(0));
    if (plain.isDone) return;
    plain.socket.shutdown(SHUT_WR);
    await linger(plain);
  }

  #failed(
    error: unknown,
    connection: Connection,
    plain: PlainConnection,
    isHandled: boolean,
  ): void {
    // What TLS or an aborted signal made of it, the reason is this.
    const cause = plain.reason ?? error;
    if (cause instanceof ConnectionTimeoutError) this.counters.timeouts[cause.deadline]++;
    else if (!isHandled) this.counters.handshakeErrors++;
    // What peer, network or server did is no fault of the handler.
    const isOutside =
      plain.isOrigin(cause) ||
      cause instanceof ProtocolError ||
      cause instanceof TlsTruncatedError ||
      cause instanceof TlsAlertError ||
      !isHandled;
    if (isOutside && cause instanceof Error) {
      this.#log.failed({ connection }, connection.remote, cause, true);
      this.emit('disconnect', cause, connection);
      return;
    }
    this.counters.handlerErrors++;
    this.#log.failed({ connection }, connection.remote, cause, false);
    this.#report(error, connection);
  }

  #report(error: unknown, connection?: Connection): void {
    if (this.listenerCount('error') > 0) {
      this.emit('error', error, connection);
      return;
    }
    if (this.#log.isOn) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${connection === undefined ? 'listener' : 'handler'} failed: ${text}`, {
      type: 'SockeyeServerWarning',
      code: 'SOCKEYE_UNHANDLED',
    });
  }

  #pause(error: SocketError, pauseMs: number): void {
    this.counters.acceptPauses++;
    this.#log.paused(error, pauseMs);
    if (this.emit('exhausted', error, pauseMs) || this.#log.isOn) return;
    process.emitWarning(`accepting pauses for ${pauseMs} ms: ${error.message}`, {
      type: 'SockeyeServerWarning',
      code: 'SOCKEYE_EXHAUSTED',
    });
  }

  #forget(plain: PlainConnection, connection: Connection): void {
    plain.close();
    this.#host.clock.delete(plain);
    if (this.connections === 0) this.#onEmpty?.();
    this.#filter.leave(plain.peer);
    this.counters.closed++;
    this.counters.bytesReceived += plain.received;
    this.counters.bytesSent += plain.sent;
    this.#loop.release();
    this.#log.ended({ connection }, connection.remote, plain);
    if (this.listenerCount('end') > 0) this.emit('end', connection);
  }
}

function closedByServer(): SocketError {
  return new SocketError('connection', ECONNABORTED, { reason: 'the server was closed' });
}

/** Reads what the peer still sends, so that it gets what was sent to it, then its end. */
async function linger(connection: PlainConnection): Promise<void> {
  const timer = setTimeout(() => connection.close(), LINGER_MS).unref();
  const scratch = Buffer.allocUnsafe(16 * 1024);
  try {
    let left = LINGER_BYTES;
    while (left > 0) {
      const count = await connection.recvInto(scratch);
      if (count === 0) return;
      left -= count;
    }
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  } finally {
    clearTimeout(timer);
  }
}

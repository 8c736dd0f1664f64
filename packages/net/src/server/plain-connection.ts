import type { Address } from '../address/index.ts';
import { SHUT_WR } from '../constants/index.ts';
import { checkBytes, SocketError } from '../errors/index.ts';
import { PLAIN_DESCRIPTOR, type PlainStream } from '../framed/plain-descriptor.ts';
import type { Socket } from '../socket/index.ts';
import type { Descriptor, Wait } from '../socket/descriptor.ts';
import type { Operation } from '../socket/operation.ts';
import { ITERATION_END, ReceiveChunk } from '../socket/receive-chunk.ts';
import { checkSize, checkTarget, receive, receiveInto, type Source } from '../socket/receive.ts';
import { SendAll } from '../socket/send-all.ts';
import { socketAround } from '../socket/socket.ts';
import type { Connection, DeadlineKind } from './connection.ts';
import { ConnectionTimeoutError } from './connection-timeout-error.ts';
import type { DeadlineClock, Timed } from '../socket/deadline-clock.ts';
import type { ProxyHeader } from './proxy-protocol.ts';
import type { ServerLimits } from './server-options.ts';

/** One receive without a size of the caller's takes at most this. */
export const CHUNK_BYTES = 64 * 1024;

// The server holds a connection until it has ended, so that no operation needs to.
const WAIT: Wait = { timeout: null, owner: {} };

/** Iterates the chunks of a connection; itself the operation that it does again and again. */
class ConnectionIterator extends ReceiveChunk implements AsyncIterator<Buffer, undefined> {
  override get owner(): object {
    return WAIT.owner;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return this.descriptor.start(this, WAIT);
  }

  return(): Promise<IteratorResult<Buffer, undefined>> {
    return Promise.resolve(ITERATION_END);
  }
}

/** What the connections of a server share. */
export interface ConnectionHost {
  readonly limits: ServerLimits;
  /** Has all of them until the server forgets them. */
  readonly clock: DeadlineClock<PlainConnection>;
  /** The connection's `running` has settled. */
  readonly onSettled?: (connection: PlainConnection) => void;
}

/** What few connections ever need; apart from them, since they idle by the thousand. */
class SeldomConnectionState {
  receive: Operation<Buffer> | undefined;
  socket: Socket<number> | undefined;
  abort: AbortController | undefined;
  reason: Error | undefined;
  /** The peer where `remote` is whom it speaks for. */
  proxy: { readonly address: Address | null } | undefined;
  /** What the handler has where it isn't the plain connection itself. */
  handled: Connection | undefined;
}

// Bound to its connection it is 48 bytes, where two closures and their context were 184.
function settled(this: PlainConnection): void {
  this.onSettled();
}

/** A connection on a bare socket: its operations go to the descriptor without a detour. */
export class PlainConnection implements Connection, PlainStream, Timed {
  remote: Address | null;
  place = -1;
  /** What the handler returned. */
  running: Promise<void> | undefined;
  #descriptor: Descriptor;
  #host: ConnectionHost;
  #seldom: SeldomConnectionState | undefined;
  // Whole milliseconds, which an object holds itself: rounded up here and down at the tick, so that
  // no deadline is early.
  #opened = Math.ceil(performance.now());
  #received = 0;
  #sent = 0;
  #active = this.#opened;
  #wrote = this.#opened;

  constructor(descriptor: Descriptor, remote: Address | null, host: ConnectionHost) {
    this.remote = remote;
    this.#descriptor = descriptor;
    this.#host = host;
    host.clock.add(this);
  }

  get #own(): SeldomConnectionState {
    this.#seldom ??= new SeldomConnectionState();
    return this.#seldom;
  }

  get socket(): Socket<number> {
    const own = this.#own;
    own.socket ??= socketAround(this.#descriptor);
    return own.socket;
  }

  /** Who is at the other end, whomever it speaks for. */
  get peer(): Address | null {
    const { proxy } = this.#seldom ?? {};
    return proxy === undefined ? this.remote : proxy.address;
  }

  /** What the handler has: this, or what TLS made of it. */
  get handled(): Connection {
    return this.#seldom?.handled ?? this;
  }

  /** Runs a handler on it, or on what was made of it; its host hears of the end. */
  run(connection: Connection, handle: () => Promise<void> | void): void {
    if (connection !== this) this.#own.handled = connection;
    try {
      this.running = Promise.resolve(handle());
    } catch (error) {
      this.running = Promise.reject(error);
    }
    const onSettled = settled.bind(this);
    void this.running.then(onSettled, onSettled);
  }

  onSettled(): void {
    this.#host.onSettled?.(this);
  }

  get alpnProtocol(): null {
    return null;
  }

  get servername(): null {
    return null;
  }

  get [PLAIN_DESCRIPTOR](): Descriptor {
    return this.#descriptor;
  }

  get #source(): Source {
    return { descriptor: this.#descriptor, proto: this.proto, waitsForAll: false };
  }

  get highWaterMark(): number {
    return this.#host.limits.highWaterMark;
  }

  get proto(): number {
    return this.#descriptor.kind.proto;
  }

  wait(): Wait {
    return WAIT;
  }

  abort(reason: Error): void {
    this.end(reason);
  }

  get local(): Address | null {
    return this.isClosed ? null : this.socket.getsockname();
  }

  get signal(): AbortSignal {
    const own = this.#own;
    own.abort ??= new AbortController();
    if (this.isClosed) own.abort.abort(own.reason);
    return own.abort.signal;
  }

  /** Milliseconds since it was accepted. */
  get ageMs(): number {
    return performance.now() - this.#opened;
  }

  /** Bytes received and sent so far. */
  get received(): number {
    return this.#descriptor.received;
  }

  get sent(): number {
    return this.#descriptor.sent;
  }

  recv(size: number = CHUNK_BYTES): Promise<Buffer> {
    try {
      // It keeps nothing between its attempts, so that one does for all.
      const own = this.#own;
      own.receive ??= receive(this.#source, CHUNK_BYTES, 0);
      const operation =
        size === CHUNK_BYTES ? own.receive : receive(this.#source, checkSize(size), 0);
      return this.#descriptor.start(operation, WAIT);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  recvInto(buffer: Uint8Array, size?: number): Promise<number> {
    try {
      const [target, wanted] = checkTarget(buffer, size);
      return this.#descriptor.start(receiveInto(this.#source, target, wanted, 0), WAIT);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  sendall(data: Uint8Array): Promise<void> {
    try {
      const operation = new SendAll(this.#descriptor, checkBytes('data', data), 0);
      return this.#descriptor.start(operation, WAIT);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async shutdown(): Promise<void> {
    // Behind what is being sent: an empty send settles when that has left.
    if (this.isSending) await this.sendall(new Uint8Array(0));
    this.socket.shutdown(SHUT_WR);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return new ConnectionIterator(this.#descriptor);
  }

  /** Takes whom a proxy names for the peer. */
  speaksFor({ source }: ProxyHeader): void {
    if (source === null) return;
    this.#own.proxy = { address: this.remote };
    this.remote = source;
  }

  close(): void {
    this.end(undefined);
  }

  /** Closes with a reason that operations and the signal get. */
  end(reason: Error | undefined): void {
    // The handler may have closed the socket itself.
    if (this.isClosed) return;
    if (reason !== undefined) this.#own.reason = reason;
    const socket = this.#seldom?.socket;
    try {
      // Files of its makefile() may keep it open.
      if (reason === undefined && socket !== undefined) socket.close();
      else this.#descriptor.close(reason);
    } catch (error) {
      // The number was closed elsewhere; the connection is gone all the same.
      if (!(error instanceof SocketError)) throw error;
    }
    this.#seldom?.abort?.abort(reason);
  }

  /** Why the server ended the connection; undefined while it hasn't. */
  get reason(): Error | undefined {
    return this.#seldom?.reason;
  }

  /** Whether an error is of this connection: the network's or the server's doing, not a handler's. */
  isOrigin(error: unknown): boolean {
    return error === this.reason || this.#descriptor.isOrigin(error);
  }

  /** Whether something is being sent that nobody may be waiting for. */
  get isSending(): boolean {
    return this.#descriptor.isSending;
  }

  /** Whether it has ended, or the handler has closed its socket. */
  get isClosed(): boolean {
    return this.#seldom?.socket?.closed ?? this.#descriptor.closed;
  }

  /** Whether closing it now loses nothing. */
  get isDone(): boolean {
    return this.isClosed || !(this.isSending || this.hasUnread);
  }

  /** Whether bytes wait that the handler didn't read: closing now would reset the connection. */
  get hasUnread(): boolean {
    if (this.isClosed) return false;
    // Who has the socket can have shut down that direction, which looks like the end, and is not.
    const { isStream, sawEnd } = this.#descriptor;
    const hasMetEnd = isStream && sawEnd && this.#seldom?.socket === undefined;
    return !hasMetEnd && this.#descriptor.hasBytes();
  }

  onTick(time: number): void {
    // It has ended, and its handler not yet.
    if (this.isClosed) return;
    const now = Math.floor(time);
    const { received, sent } = this;
    if (received !== this.#received || sent !== this.#sent) this.#active = now;
    if (sent !== this.#sent || !this.isSending) this.#wrote = now;
    this.#received = received;
    this.#sent = sent;
    const { firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs } = this.#host.limits;
    if (received === 0 && now - this.#opened >= firstByteTimeoutMs) {
      this.#expire('first byte', firstByteTimeoutMs);
    } else if (now - this.#wrote >= writeTimeoutMs) this.#expire('write', writeTimeoutMs);
    else if (now - this.#active >= idleTimeoutMs) this.#expire('idle', idleTimeoutMs);
  }

  #expire(kind: DeadlineKind, timeoutMs: number): void {
    this.end(new ConnectionTimeoutError(kind, timeoutMs));
  }
}

import type { Address, Socket } from '@sockeye/net';
import type { Connection as ServerConnection } from '@sockeye/net/server';
import { formatAddress } from '../address/format-address.ts';
import type { Channel } from '../channel/channel.ts';
import type { SocketChannel } from '../channel/socket-channel.ts';
import { TlsChannel } from '../channel/tls-channel.ts';
import { formatDuration } from '../duration.ts';
import type { Limits } from '../serve/serve-options.ts';

// Arbitrary: how long a peer may take to read the last answer before it is closed on.
const LINGER_MS = 2000;
// A peer that takes this much within the write timeout makes progress.
const PROGRESS_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/** Why a server ended a connection by itself. */
export class DeadlineError extends Error {
  override get name(): string {
    return 'DeadlineError';
  }
}

/**
 * One client of a server, as `@sockeye/net/server` shows one to a handler. Its deadlines are checked
 * by the server's clock, not by a timer each.
 */
export class Connection implements ServerConnection {
  /** The accepted socket; below TLS its descriptor is in the hands of node:tls. */
  readonly socket: Socket<number>;
  readonly local: Address | null;
  /** As the library's servers have it (docs: safety, "Bounds"). */
  readonly highWaterMark = 64 * 1024;
  /** What carries the conversation: the socket itself, or TLS above it. */
  channel: Channel;
  /** The peer; behind a proxy that says so, whom the proxy speaks for. */
  remote: Address | null;
  /** Ends what is neither the socket nor TLS yet: a handshake. */
  abandon: () => void = () => undefined;
  readonly startedAt = performance.now();
  received = 0;
  sent = 0;
  /** Set when the server closed it: what its handler then sees is only a consequence. */
  closedBecause: DeadlineError | undefined;
  #limits: Limits;
  #readDeadline: number;
  #writeDeadline = Number.POSITIVE_INFINITY;
  #sending = 0;
  #peerEnded = false;
  #isFinishing = false;
  #rest: Buffer | undefined;
  #abort: AbortController | undefined;

  constructor(channel: SocketChannel, remote: Address | null, limits: Limits) {
    this.channel = channel;
    this.socket = channel.socket;
    this.local = channel.socket.getsockname();
    this.remote = remote;
    this.#limits = limits;
    this.#readDeadline = this.startedAt + limits.firstByteTimeoutMs;
  }

  /** The peer's address as people write it. */
  get name(): string {
    return formatAddress(this.channel.endpoint.transport, this.remote);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get alpnProtocol(): string | null {
    const { channel } = this;
    const agreed = channel instanceof TlsChannel ? channel.tls.alpnProtocol : null;
    return typeof agreed === 'string' ? agreed : null;
  }

  get servername(): string | null {
    const { channel } = this;
    if (!(channel instanceof TlsChannel)) return null;
    const { servername } = channel.tls as { servername?: unknown };
    return typeof servername === 'string' ? servername : null;
  }

  /** What came next; empty at the end. Fails when the first byte or the next one takes too long. */
  async recv(size: number = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const chunk = this.#rest ?? (await this.#receive());
    this.#rest = chunk.length > size ? chunk.subarray(size) : undefined;
    return chunk.length > size ? chunk.subarray(0, size) : chunk;
  }

  async recvInto(buffer: Uint8Array, size: number = buffer.length): Promise<number> {
    const chunk = await this.recv(Math.min(size, buffer.length));
    buffer.set(chunk);
    return chunk.length;
  }

  async #receive(): Promise<Buffer> {
    const { firstByteTimeoutMs, idleTimeoutMs } = this.#limits;
    this.#readDeadline =
      this.received === 0 ? this.startedAt + firstByteTimeoutMs : performance.now() + idleTimeoutMs;
    const chunk = await this.channel.receive();
    this.#readDeadline = Number.POSITIVE_INFINITY;
    this.#peerEnded = chunk === undefined;
    this.received += chunk?.length ?? 0;
    return chunk ?? NOTHING;
  }

  /** Notes what went another way than through `recv` and `sendall`. */
  account(received: number, sent: number): void {
    this.received += received;
    this.sent += sent;
    this.#readDeadline = performance.now() + this.#limits.idleTimeoutMs;
  }

  /** Both directions have ended; nothing is left to wait for. */
  ended(): void {
    this.#peerEnded = true;
  }

  /** Sends everything; fails when the peer takes nothing for too long. */
  async sendall(data: Uint8Array): Promise<void> {
    if (this.channel.keepsMessages || data.length <= PROGRESS_BYTES) {
      await this.#send(data);
      return;
    }
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < data.length; at += PROGRESS_BYTES) {
      pieces.push(this.#send(data.subarray(at, at + PROGRESS_BYTES)));
    }
    await Promise.all(pieces);
  }

  async #send(data: Uint8Array): Promise<void> {
    if (this.#sending++ === 0) this.#postponeWrite();
    try {
      await this.channel.send(data);
    } finally {
      this.#sending--;
      this.#postponeWrite();
    }
    this.sent += data.length;
    this.#postponeIdle();
  }

  /** The peer has just taken something, or is about to. */
  #postponeWrite(): void {
    this.#writeDeadline =
      this.#sending === 0
        ? Number.POSITIVE_INFINITY
        : performance.now() + this.#limits.writeTimeoutMs;
  }

  /** Who is being talked to is not idle. */
  #postponeIdle(): void {
    if (this.received === 0 || this.#readDeadline === Number.POSITIVE_INFINITY) return;
    this.#readDeadline = performance.now() + this.#limits.idleTimeoutMs;
  }

  /** Ends the sending side. */
  shutdown(): Promise<void> {
    return this.channel.endSending();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    for (;;) {
      const chunk = await this.recv();
      // A message may be empty.
      if (this.#peerEnded) return undefined;
      yield chunk;
    }
  }

  /**
   * Ends the conversation so that the peer gets everything: closing a socket that still has bytes to
   * be read sends a reset, which may destroy what was sent before (RFC 9293, section 3.6.1).
   */
  async finish(): Promise<void> {
    if (this.#peerEnded) return;
    this.#isFinishing = true;
    this.#readDeadline = performance.now() + LINGER_MS;
    await this.channel.endSending();
    while ((await this.channel.receive()) !== undefined);
  }

  /** Closes the connection if one of its deadlines has passed. */
  checkDeadlines(now: number): void {
    if (now >= this.#writeDeadline) {
      this.close(`it took nothing for ${formatDuration(this.#limits.writeTimeoutMs)}`);
    } else if (now >= this.#readDeadline) {
      this.close(this.#silence());
    }
  }

  #silence(): string {
    if (this.#isFinishing) return 'it did not close';
    return this.received === 0 ? 'its first byte did not come in time' : 'it was idle';
  }

  close(reason: string = 'the session closed it'): void {
    this.closedBecause ??= new DeadlineError(reason);
    this.dispose();
  }

  /** Gives everything back. */
  dispose(): void {
    this.abandon();
    this.channel[Symbol.dispose]();
    this.socket.close();
    this.#abort?.abort(this.closedBecause);
  }
}

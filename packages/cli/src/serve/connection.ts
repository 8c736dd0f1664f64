import { SHUT_WR, SOCK_STREAM, type Socket } from '@sockeye/net';
import { formatDuration } from '../duration.ts';
import type { Limits } from './serve-options.ts';

// A message of a seqpacket socket has at most net.core.wmem_default (212,992) bytes unless its
// sender raised SO_SNDBUF; a stream gives no more than 64 KiB at once.
const RECEIVE_BYTES = 256 * 1024;
// Arbitrary: how long a peer may take to read the last answer before it is closed on.
const LINGER_MS = 2000;
// A peer that takes this much within the write timeout makes progress.
const PROGRESS_BYTES = 16 * 1024;

/** Why a server ended a connection by itself. */
export class DeadlineError extends Error {
  override get name(): string {
    return 'DeadlineError';
  }
}

/**
 * One client of a server. Its deadlines are checked by the server's clock, not by a timer each.
 */
export class Connection implements AsyncIterable<Buffer> {
  readonly socket: Socket<number>;
  /** The peer's address as people write it. */
  readonly remote: string;
  readonly startedAt = performance.now();
  received = 0;
  sent = 0;
  /** Set when the server closed it: what its handler then sees is only a consequence. */
  closedBecause: DeadlineError | undefined;
  #limits: Limits;
  #readDeadline = Number.POSITIVE_INFINITY;
  #writeDeadline = Number.POSITIVE_INFINITY;
  #sending = 0;
  #peerEnded = false;
  #isFinishing = false;

  constructor(socket: Socket<number>, remote: string, limits: Limits) {
    this.socket = socket;
    this.remote = remote;
    this.#limits = limits;
  }

  /** What came next; empty at the end. Fails when the first byte or the next one takes too long. */
  async recv(): Promise<Buffer> {
    const { firstByteTimeoutMs, idleTimeoutMs } = this.#limits;
    this.#readDeadline =
      this.received === 0 ? this.startedAt + firstByteTimeoutMs : performance.now() + idleTimeoutMs;
    const chunk = await this.socket.recv(RECEIVE_BYTES);
    this.#readDeadline = Number.POSITIVE_INFINITY;
    this.received += chunk.length;
    this.#peerEnded = chunk.length === 0;
    return chunk;
  }

  /** Sends everything; fails when the peer takes nothing for too long. */
  async sendall(data: Uint8Array): Promise<void> {
    if (this.socket.type !== SOCK_STREAM || data.length <= PROGRESS_BYTES) {
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
      await this.socket.sendall(data);
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

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    for (;;) {
      const chunk = await this.recv();
      if (chunk.length === 0) return;
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
    this.socket.shutdown(SHUT_WR);
    this.#readDeadline = performance.now() + LINGER_MS;
    while ((await this.socket.recv(RECEIVE_BYTES)).length > 0);
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

  close(reason: string): void {
    this.closedBecause ??= new DeadlineError(reason);
    this.socket.close();
  }
}

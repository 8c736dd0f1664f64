import type { TLSSocket } from 'node:tls';
import { invalidState } from '../../errors/index.ts';
import { NodeTlsBytes } from './node-tls-bytes.ts';
import type { TlsBytes } from './tls-bytes.ts';
import type { TlsTransport } from './tls-transport.ts';
import { Waiters } from './waiters.ts';

/** How a `TlsStream` is made. */
export interface TlsStreamOptions {
  /** Bytes that node:tls may decrypt before they are asked for, where it does; default 256 KiB. */
  readonly highWaterMark?: number;
}

/**
 * An encrypted conversation over a TlsTransport, whose end is the peer's close_notify and nothing
 * else: where the connection ends without one, receiving fails after the last byte that came.
 *
 * node:tls agrees on the keys and checks who the peer is. With TLS 1.3 the records that follow are
 * opened and sealed without it; `tls` still says all it knows.
 */
export class TlsStream {
  readonly tls: TLSSocket;
  readonly #transport: TlsTransport;
  readonly #highWaterMark: number;
  #bytes: TlsBytes | undefined;
  #hasLeft = false;
  #failure: Error | undefined;
  readonly #waiters = new Waiters();

  /** @param tls made over `transport`: before its handshake, or within its 'secureConnection' */
  constructor(
    tls: TLSSocket,
    transport: TlsTransport,
    { highWaterMark = 256 * 1024 }: TlsStreamOptions = {},
  ) {
    this.tls = tls;
    this.#transport = transport;
    this.#highWaterMark = highWaterMark;
    tls.on('error', (error: Error) => this.#wake(() => (this.#failure ??= error)));
    tls.on('close', () => this.#wake(() => (this.#hasLeft = true)));
    if (tls.getPeerFinished() !== undefined) {
      this.#begin();
      return;
    }
    tls.on('keylog', (line) => transport.learn(line, tls, 'client'));
    tls.once('secureConnect', () => this.#wake(() => this.#begin()));
  }

  #begin(): void {
    this.#bytes =
      this.#transport.handOver() ??
      new NodeTlsBytes(this.tls, this.#transport, this.#highWaterMark);
  }

  #wake(change: () => void): void {
    change();
    this.#waiters.wake();
  }

  /** Both have agreed on keys; undefined where the connection was closed before. */
  async #agreed(signal?: AbortSignal): Promise<TlsBytes | undefined> {
    while (this.#bytes === undefined && !this.#hasLeft && this.#failure === undefined) {
      await this.#waiters.next(signal);
      signal?.throwIfAborted();
    }
    if (this.#bytes === undefined && this.#failure !== undefined) throw this.#failure;
    return this.#bytes;
  }

  /**
   * What was decrypted next; undefined at the end.
   *
   * @throws TlsTruncatedError for a connection that ended without close_notify, its error for one
   *   that failed, TlsAlertError or the error of node:tls; the signal's reason. Nothing that came is
   *   lost before it.
   */
  async receive(size?: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    const bytes = this.#bytes ?? (await this.#agreed(signal));
    return await bytes?.receive(size, signal);
  }

  /** The same into memory of the caller's, as much as there is and fits. */
  async receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    const bytes = this.#bytes ?? (await this.#agreed(signal));
    return await bytes?.receiveInto(buffer, signal);
  }

  /** Whether bytes have come that nobody has received, and the peer has not ended. */
  get hasUnread(): boolean {
    return this.#bytes?.hasUnread ?? false;
  }

  /** Settles when the kernel has it. */
  async send(data: Uint8Array): Promise<void> {
    const bytes = this.#bytes ?? (await this.#agreed());
    if (bytes === undefined) throw invalidState('Cannot send: the connection was closed');
    await bytes.send(data);
  }

  /** Sends TLS's close_notify and the end of the stream. */
  async shutdown(): Promise<void> {
    const bytes = this.#bytes ?? (await this.#agreed());
    await bytes?.shutdown();
  }

  /** Closes the socket too. What was decrypted can still be received. */
  destroy(): void {
    this.tls.destroy();
    this.#transport.destroy();
  }
}

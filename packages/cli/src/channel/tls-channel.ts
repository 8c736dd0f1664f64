import { Socket as StreamHandle } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Socket } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';

/** Bytes that node:tls may have decrypted before they are asked for; a socket's own is 16 KiB. */
export const TLS_BUFFER_BYTES = 256 * 1024;

/**
 * The descriptor of a connected socket in the hands of node:net, below node:tls. `socket.stream()`
 * would do as well, but then each record crosses JavaScript twice: 76 instead of 134 MB/s.
 */
export function handOverToTls(socket: Socket<number>): StreamHandle {
  return new StreamHandle({
    fd: socket.detach(),
    allowHalfOpen: true,
    readable: true,
    writable: true,
  });
}

/** An encrypted conversation. Its end of sending is TLS's close_notify and then a FIN. */
export class TlsChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = false;
  readonly isConnectionless = false;
  readonly isFramed = false;
  readonly tls: TLSSocket;
  #hasEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(endpoint: Endpoint, tls: TLSSocket) {
    this.endpoint = endpoint;
    this.tls = tls;
    tls.on('readable', () => this.#wake());
    for (const event of ['end', 'close'] as const) tls.on(event, () => this.#end());
    tls.on('error', (error: Error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /**
   * Settles when the kernel has it. (To settle earlier, with two pieces under way, would lose what is
   * still encrypted when somebody closes the channel.)
   */
  send(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.tls.write(data, (error) => {
        if (error) reject(this.#failure ?? error);
        else resolve();
      });
    });
  }

  async receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    const onAbort = (): void => this.#wake();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const chunk = this.tls.read() as Buffer | null;
        if (chunk !== null) return chunk;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#hasEnded) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  endSending(): Promise<void> {
    if (this.tls.destroyed || this.tls.writableEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.tls.once('close', () => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      });
      this.tls.end(resolve);
    });
  }

  [Symbol.dispose](): void {
    this.tls.destroy();
  }
}

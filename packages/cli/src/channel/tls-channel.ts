import { Socket as StreamHandle } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fromFd, SO_ERROR, type Socket, SocketError, SOL_SOCKET } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';

// What may be decrypted before it is asked for: as much as one receive takes.
const MAX_QUEUED_BYTES = 256 * 1024;

/**
 * The descriptor of a connected socket in the hands of node:net, below node:tls. `socket.stream()`
 * would do as well, but then each record crosses JavaScript twice: 76 instead of 134 MB/s.
 */
export function handOverToTls(socket: Socket<number>): StreamHandle {
  const fd = socket.detach();
  const handle = new StreamHandle({ fd, allowHalfOpen: true, readable: true, writable: true });
  descriptors.set(handle, fd);
  return handle;
}

const descriptors = new WeakMap<StreamHandle, number>();

/**
 * A reset that libuv has told as an end: after a short read it takes POLLHUP for one, and node:tls an
 * end without a close_notify for an end. The kernel often still has the error: socket(7),
 * SO_ERROR. Where it has not, and for a FIN without close_notify, the cut looks like an end: known, open.
 */
function untoldError(handle: StreamHandle): Error | undefined {
  const fd = descriptors.get(handle);
  if (fd === undefined || handle.destroyed) return undefined;
  try {
    const copy = fromFd(fd);
    const errno = copy.getsockopt(SOL_SOCKET, SO_ERROR);
    copy.close();
    return errno === 0 ? undefined : new SocketError('read', errno);
  } catch {
    return undefined;
  }
}

/**
 * An encrypted conversation. Its end of sending is TLS's close_notify and then a FIN.
 *
 * What is decrypted is kept here, not in the TLSSocket, which throws away what it holds when the
 * connection is reset; and a peer that closes with our session tickets unread resets it.
 */
export class TlsChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = false;
  readonly isConnectionless = false;
  readonly isFramed = false;
  readonly tls: TLSSocket;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #hasEnded = false;
  #isClosed = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(endpoint: Endpoint, tls: TLSSocket, handle: StreamHandle) {
    this.endpoint = endpoint;
    this.tls = tls;
    tls.on('data', (chunk: Buffer) => this.#take(chunk));
    tls.on('end', () => {
      this.#failure ??= untoldError(handle);
      this.#hasEnded = this.#failure === undefined;
      this.#wake();
    });
    tls.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    tls.on('error', (error: Error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  #take(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= MAX_QUEUED_BYTES) this.tls.pause();
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
    if (!(await this.#hasBytes(signal))) return undefined;
    const chunk = this.#queue.shift() as Buffer;
    this.#taken(chunk.length);
    return chunk;
  }

  async receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    if (!(await this.#hasBytes(signal))) return undefined;
    let filled = 0;
    while (filled < buffer.length) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      const part = chunk.subarray(0, buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) this.#queue.unshift(chunk.subarray(part.length));
    }
    this.#taken(filled);
    return filled;
  }

  #taken(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#queuedBytes < MAX_QUEUED_BYTES && this.tls.isPaused()) this.tls.resume();
  }

  /** Waits until something is in the queue; false at the end. */
  async #hasBytes(signal?: AbortSignal): Promise<boolean> {
    const onAbort = (): void => this.#wake();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.#queue.length > 0) return true;
        if (this.#hasEnded) return false;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#isClosed) return false;
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

import { MSG_PEEK, SHUT_WR, type Socket, SocketError } from '@sockeye/net';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import type { Channel } from './channel.ts';

const STREAM_BYTES = 64 * 1024;
// Longer than any UDP datagram, and than a Unix message whose sender left SO_SNDBUF alone (212,992).
const MESSAGE_BYTES = 256 * 1024;

// A record of TLS begins with as many: RFC 8446, section 5.1.
const HEAD_BYTES = 5;

/** A conversation on a connected socket. */
export class SocketChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages: boolean;
  readonly isConnectionless: boolean;
  readonly isFramed = false;
  readonly socket: Socket<number>;
  /** How the peer began: five bytes at most, none where it ended at once; undefined before. */
  head: Buffer | undefined;

  constructor(endpoint: Endpoint, socket: Socket<number>) {
    this.endpoint = endpoint;
    this.keepsMessages = keepsMessages(endpoint.transport);
    this.isConnectionless = isConnectionless(endpoint.transport);
    this.socket = socket;
  }

  async send(data: Uint8Array): Promise<void> {
    if (this.keepsMessages) await this.socket.send(data);
    else await this.socket.sendall(data);
  }

  async receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    const size = this.keepsMessages ? MESSAGE_BYTES : STREAM_BYTES;
    const data = await this.socket.recv(size, 0, { signal });
    this.head ??= Buffer.from(data.subarray(0, HEAD_BYTES));
    return data.length === 0 && !this.isConnectionless ? undefined : data;
  }

  async receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    const bytes = await this.socket.recvInto(buffer, buffer.length, 0, { signal });
    this.head ??= Buffer.from(buffer.subarray(0, Math.min(bytes, HEAD_BYTES)));
    return bytes === 0 && !this.isConnectionless ? undefined : bytes;
  }

  /** Waits until the peer has said something, and leaves it to who receives it without a look. */
  async begun(signal: AbortSignal): Promise<void> {
    this.head ??= await this.socket.recv(HEAD_BYTES, MSG_PEEK, { signal });
  }

  endSending(): Promise<void> {
    if (this.isConnectionless || this.socket.closed) return Promise.resolve();
    try {
      this.socket.shutdown(SHUT_WR);
    } catch (error) {
      // The peer has gone meanwhile; the receive says how.
      if (!(error instanceof SocketError) || error.code !== 'ENOTCONN')
        return Promise.reject(error);
    }
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

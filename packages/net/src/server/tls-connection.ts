import type { TLSSocket } from 'node:tls';
import type { Address } from '../address/index.ts';
import { checkBytes } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { engine } from '../socket/engine.ts';
import type { TlsStream } from '../socket/stream/index.ts';
import { checkSize, checkTarget } from '../socket/receive.ts';
import type { Connection } from './connection.ts';
import type { PlainConnection } from './plain-connection.ts';

/** A connection whose bytes node:tls encrypts; deadlines and the end are the plain one's. */
export class TlsConnection implements Connection {
  readonly tls: TLSSocket;
  received = 0;
  sent = 0;
  #plain: PlainConnection;
  #stream: TlsStream;

  constructor(plain: PlainConnection, stream: TlsStream) {
    this.#plain = plain;
    this.#stream = stream;
    this.tls = stream.tls;
  }

  get socket(): Socket<number> {
    return this.#plain.socket;
  }

  get highWaterMark(): number {
    return this.#plain.highWaterMark;
  }

  get remote(): Address | null {
    return this.#plain.remote;
  }

  get local(): Address | null {
    return this.#plain.local;
  }

  get signal(): AbortSignal {
    return this.#plain.signal;
  }

  get alpnProtocol(): string | null {
    return typeof this.tls.alpnProtocol === 'string' ? this.tls.alpnProtocol : null;
  }

  get servername(): string | null {
    const { servername } = this.tls as TLSSocket & { servername?: string | false };
    return typeof servername === 'string' ? servername : null;
  }

  async recv(size: number = 64 * 1024): Promise<Buffer> {
    const wanted = checkSize(size);
    const chunk = await this.#next(this.#stream.receive(wanted));
    this.received += chunk?.length ?? 0;
    return chunk ?? Buffer.alloc(0);
  }

  async recvInto(buffer: Uint8Array, size?: number): Promise<number> {
    const [target, wanted] = checkTarget(buffer, size);
    const bytes = await this.#next(this.#stream.receiveInto(target.subarray(0, wanted)));
    this.received += bytes ?? 0;
    return bytes ?? 0;
  }

  /** What comes next; where the server ended the connection, its reason. */
  async #next<Received>(receiving: Promise<Received | undefined>): Promise<Received | undefined> {
    try {
      const received = await receiving;
      if (received !== undefined || this.#plain.reason === undefined) return received;
    } catch (error) {
      throw this.#plain.reason ?? error;
    }
    throw this.#plain.reason;
  }

  async sendall(data: Uint8Array): Promise<void> {
    const bytes = checkBytes('data', data);
    await this.#stream.send(bytes);
    this.sent += bytes.length;
  }

  /** Whether bytes were decrypted that nobody has received: more may be on their way. */
  get hasUnread(): boolean {
    return this.#stream.hasUnread;
  }

  /** Sends TLS's close_notify and the end of the stream. */
  shutdown(): Promise<void> {
    // What this turn has yet to send goes before it.
    engine.flush();
    return this.#stream.shutdown();
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: async () => {
        const value = await this.recv();
        return value.length === 0 ? { done: true, value: undefined } : { done: false, value };
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  close(): void {
    this.#stream.destroy();
    this.#plain.close();
  }
}

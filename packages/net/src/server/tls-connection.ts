import type { TLSSocket } from 'node:tls';
import type { Address } from '../address/index.ts';
import { checkBytes } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { engine } from '../socket/engine.ts';
import { checkSize, checkTarget } from '../socket/receive.ts';
import type { Connection } from './connection.ts';
import type { PlainConnection } from './plain-connection.ts';

/** A connection whose bytes node:tls encrypts; deadlines and the end are the plain one's. */
export class TlsConnection implements Connection {
  readonly tls: TLSSocket;
  received = 0;
  sent = 0;
  #plain: PlainConnection;
  #rest: Buffer | undefined;
  #ended = false;
  #waiting: (() => void)[] = [];
  #failure: Error | undefined;

  constructor(plain: PlainConnection, tls: TLSSocket) {
    this.#plain = plain;
    this.tls = tls;
    tls.on('readable', () => this.#wake());
    tls.on('end', () => this.#end());
    tls.on('close', () => this.#end());
    tls.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
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
    const chunk = await this.#next();
    if (chunk.length <= wanted) return chunk;
    this.#rest = chunk.subarray(wanted);
    this.#wake();
    return chunk.subarray(0, wanted);
  }

  async recvInto(buffer: Uint8Array, size?: number): Promise<number> {
    const [target, wanted] = checkTarget(buffer, size);
    const chunk = await this.recv(wanted);
    target.set(chunk);
    return chunk.length;
  }

  /** What node:tls has decrypted by now, or will next; empty at the end. */
  async #next(): Promise<Buffer> {
    for (;;) {
      const rest = this.#rest;
      this.#rest = undefined;
      if (rest !== undefined) return rest;
      const chunk = this.tls.read() as Buffer | null;
      if (chunk !== null) {
        this.received += chunk.length;
        return chunk;
      }
      if (this.#failure !== undefined) throw this.#plain.reason ?? this.#failure;
      if (this.#ended) {
        if (this.#plain.reason !== undefined) throw this.#plain.reason;
        return Buffer.alloc(0);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  sendall(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = checkBytes('data', data);
      this.tls.write(bytes, (error) => {
        if (error) {
          reject(error);
          return;
        }
        this.sent += bytes.length;
        resolve();
      });
    });
  }

  /** Sends TLS's close_notify and the end of the stream. */
  shutdown(): Promise<void> {
    // What this turn has yet to send goes before it.
    engine.flush();
    if (this.tls.destroyed || this.tls.writableEnded) return Promise.resolve();
    return new Promise((resolve) => this.tls.end(resolve));
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
    this.tls.destroy();
    this.#plain.close();
  }
}

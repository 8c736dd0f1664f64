import type { TLSSocket } from 'node:tls';
import { TransferError } from '../transfer-error.ts';
import type { Wire } from './wire.ts';

// Decrypted bytes that may wait for us before TLS stops reading. Arbitrary.
const PAUSE_BYTES = 1024 * 1024;

interface Target {
  readonly buffer: Buffer;
  readonly from: number;
  at: number;
  readonly to: number;
  resolve(filled: boolean): void;
  reject(error: Error): void;
}

/** A connection that node:tls encrypts. A record's bytes go straight to where they are wanted. */
export class TlsWire implements Wire {
  readonly peer: string;
  readonly #tls: TLSSocket;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #target: Target | undefined;
  #isEnded = false;
  #reason: Error | undefined;

  constructor(tls: TLSSocket, peer: string) {
    this.#tls = tls;
    this.peer = peer;
    tls.on('data', (chunk: Buffer) => this.#onData(chunk));
    tls.on('end', () => this.#end());
    tls.on('close', () => this.#end());
    tls.on('error', (error) => {
      this.#reason ??= error;
      this.#end();
    });
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    const target = this.#target;
    if (target !== undefined) {
      const count = rest.copy(target.buffer, target.at, 0, target.to - target.at);
      target.at += count;
      rest = rest.subarray(count);
      if (target.at === target.to) this.#settle()?.resolve(true);
    }
    if (rest.length === 0) return;
    this.#chunks.push(rest);
    this.#waiting += rest.length;
    if (this.#waiting > PAUSE_BYTES) this.#tls.pause();
  }

  #settle(): Target | undefined {
    const target = this.#target;
    this.#target = undefined;
    return target;
  }

  #end(): void {
    this.#isEnded = true;
    const target = this.#settle();
    if (target === undefined) return;
    if (this.#reason !== undefined) target.reject(this.#reason);
    else if (target.at === target.from) target.resolve(false);
    else target.reject(this.#cut());
  }

  #cut(): Error {
    return new TransferError('connection', `Cannot receive: ${this.peer} left inside a frame`);
  }

  fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    let at = from;
    while (at < to && this.#chunks.length > 0) at += this.#takeChunk(buffer, at, to);
    if (this.#waiting <= PAUSE_BYTES && this.#tls.isPaused()) this.#tls.resume();
    if (at === to) return Promise.resolve(true);
    if (this.#reason !== undefined) return Promise.reject(this.#reason);
    if (this.#isEnded) return at === from ? Promise.resolve(false) : Promise.reject(this.#cut());
    return new Promise((resolve, reject) => {
      this.#target = { buffer, from, at, to, resolve, reject };
    });
  }

  #takeChunk(buffer: Buffer, at: number, to: number): number {
    const chunk = this.#chunks[0] as Buffer;
    const count = chunk.copy(buffer, at, 0, to - at);
    this.#waiting -= count;
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    return count;
  }

  send(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error) reject(this.#reason ?? error);
        else resolve();
      };
      this.#tls.cork();
      pieces.forEach((piece, i) => {
        if (i === pieces.length - 1) this.#tls.write(piece, done);
        else this.#tls.write(piece);
      });
      this.#tls.uncork();
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#tls.destroyed || this.#tls.writableFinished) resolve();
      else this.#tls.end(resolve);
      this.#tls.once('close', resolve);
      // The peer's end is no longer of interest.
      this.#tls.resume();
    });
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#tls.destroy();
    this.#end();
  }
}

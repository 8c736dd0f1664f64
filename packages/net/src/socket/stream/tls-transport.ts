import { Duplex } from 'node:stream';
import { SHUT_WR } from '../../constants/index.ts';
import { TlsTruncatedError } from '../../errors/index.ts';
import { settle } from './settle.ts';
import { shutDown, STREAM_BYTES, type StreamSocket } from './stream-socket.ts';

// Measured with `sockeye forward`: with 64 KiB it took a tenth more time.
const BULK_BYTES = 256 * 1024;
// A record of TLS.
const LITTLE_BYTES = 16 * 1024;

/**
 * What node:tls reads from and writes to: a connected stream socket, whose end it is not told.
 *
 * node:tls makes the same 'end' of a close_notify, which is signed, and of a FIN, which anybody
 * between can send; and it throws away what it has decrypted when the connection is reset. So the end
 * of the connection goes to `hold`'s listener instead: what node:tls then calls an end was a
 * close_notify, and nothing is thrown away.
 */
export class TlsTransport extends Duplex {
  readonly #socket: StreamSocket;
  /**
   * While much comes. node:tls copies what it is given, so that one buffer is enough unless it wants
   * no more for now; who waits for little holds none.
   */
  #buffer: Buffer | undefined;
  #onEnd: ((error: Error) => void) | undefined;
  #sendFailure: Error | undefined;
  #isStopped = false;
  /** Whether node:tls has asked for more meanwhile. */
  #isAsked = false;

  constructor(socket: StreamSocket) {
    // One byte: the next receive begins when node:tls has taken the one before.
    super({ allowHalfOpen: true, readableHighWaterMark: 1, writableHighWaterMark: BULK_BYTES });
    this.#socket = socket;
  }

  /** Why what was written since didn't leave. The stream goes on: the peer's last words may follow. */
  get sendFailure(): Error | undefined {
    return this.#sendFailure;
  }

  /**
   * From now on the connection's end is not passed on.
   *
   * @param onEnd is told once node:tls has had every byte: TlsTruncatedError for a FIN, else the
   *   error of the receive. It means nothing if node:tls has ended by then.
   */
  hold(onEnd: (error: Error) => void): void {
    this.#onEnd = onEnd;
  }

  /** Receives nothing more until `go`. */
  stop(): void {
    this.#isStopped = true;
  }

  go(): void {
    this.#isStopped = false;
    if (!this.#isAsked) return;
    this.#isAsked = false;
    if (!this.destroyed) this.#receive();
  }

  override _read(): void {
    if (this.#isStopped) this.#isAsked = true;
    else this.#receive();
  }

  #receive(): void {
    const buffer = this.#buffer;
    const receiving =
      buffer === undefined
        ? this.#socket.recv(STREAM_BYTES)
        : this.#socket.recvInto(buffer).then((bytes) => buffer.subarray(0, bytes));
    receiving.then(
      (chunk) => {
        if (!this.destroyed) this.#take(chunk);
      },
      (error: Error) => {
        if (!this.destroyed) this.#end(error);
      },
    );
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) {
      this.#end(undefined);
      return;
    }
    this.push(chunk);
    if (chunk.length < LITTLE_BYTES) this.#buffer = undefined;
    else if (this.#buffer === undefined ? chunk.length === STREAM_BYTES : this.readableLength > 0)
      this.#buffer = Buffer.allocUnsafeSlow(BULK_BYTES);
  }

  #end(error: Error | undefined): void {
    if (this.#onEnd !== undefined) this.#tell(error ?? new TlsTruncatedError());
    else if (error === undefined) this.push(null);
    else this.destroy(error);
  }

  /** Waits for what is held here because node:tls wants no more for now. */
  #tell(error: Error): void {
    if (this.destroyed) return;
    if (this.readableLength === 0) setImmediate(() => this.#onEnd?.(error));
    else if (this.isPaused()) this.once('resume', () => this.#tell(error));
    else setImmediate(() => this.#tell(error));
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#settle(this.#socket.sendall(chunk), done);
  }

  /** The sends of one turn leave together, so that there is no need to join the chunks. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#settle(Promise.all(chunks.map(({ chunk }) => this.#socket.sendall(chunk))), done);
  }

  #settle(sent: Promise<unknown>, done: (error?: Error | null) => void): void {
    void settle(sent, (error) => {
      if (this.#onEnd !== undefined && error) this.#sendFailure ??= error;
      done(this.#onEnd === undefined ? error : undefined);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      if (!this.#socket.closed) shutDown(this.#socket, SHUT_WR);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.close();
    done(error);
  }
}

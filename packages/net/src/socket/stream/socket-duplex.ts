import { Duplex } from 'node:stream';
import { SHUT_WR } from '../../constants/index.ts';
import { settle } from './settle.ts';
import { shutDown, STREAM_BYTES, type StreamSocket } from './stream-socket.ts';

/** How `stream` makes a Duplex. */
export interface SocketStreamOptions {
  /**
   * true (the default): the peer's end leaves the writable side open, so that an answer can still
   * be sent. false: it ends too once its data is out, as with net.Socket.
   */
  readonly allowHalfOpen?: boolean | undefined;
  /** Bytes that each side holds before it exerts backpressure; default 65536. */
  readonly highWaterMark?: number | undefined;
}

/**
 * A stream socket as a Duplex of node:stream.
 *
 * It receives only when there is room, and a write's callback is called when the kernel has taken
 * it. `end()` sends what is pending and then a FIN; the peer's FIN is 'end'. When both have happened,
 * after an error, or by `destroy()`, the socket is closed.
 */
export class SocketDuplex extends Duplex {
  readonly #socket: StreamSocket;

  /** Whose bytes these are. */
  get socket(): StreamSocket {
    return this.#socket;
  }

  constructor(socket: StreamSocket, options: SocketStreamOptions) {
    const { allowHalfOpen = true, highWaterMark = STREAM_BYTES } = options;
    super({ allowHalfOpen, highWaterMark, decodeStrings: true, emitClose: true });
    this.#socket = socket;
  }

  override _read(): void {
    this.#socket.recv(STREAM_BYTES).then(
      (chunk) => {
        // Destroyed meanwhile: nobody is left to take it.
        if (!this.destroyed) this.push(chunk.length === 0 ? null : chunk);
      },
      (error: Error) => {
        // Closing rejects what waits, which is no news.
        if (!this.destroyed) this.destroy(error);
      },
    );
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    void settle(this.#socket.sendall(chunk), done);
  }

  /** The sends of one turn leave together, so that there is no need to join the chunks. */
  override _writev(
    chunks: { chunk: Buffer; encoding: string }[],
    done: (error?: Error | null) => void,
  ): void {
    void settle(Promise.all(chunks.map(({ chunk }) => this.#socket.sendall(chunk))), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      shutDown(this.#socket, SHUT_WR);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#socket.close();
      done(error);
    } catch (failure) {
      done(error ?? (failure as Error));
    }
  }
}

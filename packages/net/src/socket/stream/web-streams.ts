import {
  type ReadableByteStreamController,
  ReadableStream,
  type ReadableStreamBYOBRequest,
  WritableStream,
} from 'node:stream/web';
import { SHUT_RD, SHUT_WR } from '../../constants/index.ts';
import { invalidType } from '../../errors/index.ts';
import { shutDown, STREAM_BYTES, type StreamSocket } from './stream-socket.ts';

/**
 * A stream socket as a pair of web streams. When both have ended, in whatever way, the socket is
 * closed; until then a side that nobody uses keeps it open.
 */
export class WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #socket: StreamSocket;
  readonly #receiving = new AbortController();
  readonly #ended = new Set<'reading' | 'writing'>();
  #sending: AbortSignal | undefined;

  constructor(socket: StreamSocket) {
    this.#socket = socket;
    this.readable = new ReadableStream({
      type: 'bytes',
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => this.#cancel(reason),
    });
    this.writable = new WritableStream<Uint8Array>(
      {
        // The type of Node.js 20 lacks the controller's signal; the class has it.
        start: (controller) => {
          this.#sending = (controller as { readonly signal?: AbortSignal }).signal;
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#end(),
        abort: () => this.#abort(),
      },
      { highWaterMark: STREAM_BYTES, size: (chunk) => chunk?.byteLength ?? 0 },
    );
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const { signal } = this.#receiving;
    // Its type says undefined only.
    const request = controller.byobRequest as unknown as ReadableStreamBYOBRequest | null;
    try {
      if (request === null) {
        const chunk = await this.#socket.recv(STREAM_BYTES, 0, { signal });
        if (chunk.length > 0) controller.enqueue(ownMemory(chunk));
        else this.#receivedAll(controller);
        return;
      }
      const view = request.view as Uint8Array;
      const target = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const count = await this.#socket.recvInto(target, 0, 0, { signal });
      if (count === 0) this.#receivedAll(controller);
      request.respond(count);
    } catch (error) {
      this.#sideEnded('reading');
      throw error;
    }
  }

  #receivedAll(controller: ReadableByteStreamController): void {
    controller.close();
    this.#sideEnded('reading');
  }

  #cancel(reason: unknown): void {
    this.#receiving.abort(reason);
    if (!this.#socket.closed) shutDown(this.#socket, SHUT_RD);
    this.#sideEnded('reading');
  }

  async #write(chunk: unknown): Promise<void> {
    try {
      await this.#socket.sendall(bytesOf(chunk), 0, { signal: this.#sending });
    } catch (error) {
      this.#sideEnded('writing');
      throw error;
    }
  }

  #end(): void {
    shutDown(this.#socket, SHUT_WR);
    this.#sideEnded('writing');
  }

  /** The peer must not take what it has for all: a FIN alone would say so. */
  #abort(): void {
    this.#socket.close();
  }

  #sideEnded(side: 'reading' | 'writing'): void {
    this.#ended.add(side);
    if (this.#ended.size === 2) this.#socket.close();
  }
}

/** The controller takes the memory away, which for a part of the Buffer pool it may not. */
function ownMemory(chunk: Buffer): Uint8Array {
  const whole = chunk.byteLength === chunk.buffer.byteLength;
  return whole ? new Uint8Array(chunk.buffer) : new Uint8Array(chunk);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk))
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw invalidType('chunk', 'a Uint8Array', chunk);
}

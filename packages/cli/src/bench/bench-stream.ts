import type { Socket, TlsStream } from '@sockeye/net';

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/** What a benchmark does with a stream: a socket does it as it is. */
export interface BenchStream
  extends Pick<Socket<number>, 'recvInto' | 'shutdown' | 'close' | 'closed'> {
  sendall(data: Uint8Array): Promise<void>;
}

/** An encrypted stream in the shape of a socket. */
export class TlsBenchStream implements BenchStream {
  #stream: TlsStream;

  constructor(stream: TlsStream) {
    this.#stream = stream;
  }

  get closed(): boolean {
    return this.#stream.tls.destroyed;
  }

  async recvInto(
    buffer: Uint8Array,
    _size?: number,
    _flags?: number,
    { signal }: Waiting = {},
  ): Promise<number> {
    return (await this.#stream.receiveInto(buffer, signal)) ?? 0;
  }

  sendall(data: Uint8Array): Promise<void> {
    return this.#stream.send(data);
  }

  shutdown(): void {
    this.#stream.shutdown().catch(() => undefined);
  }

  close(): void {
    this.#stream.destroy();
  }
}

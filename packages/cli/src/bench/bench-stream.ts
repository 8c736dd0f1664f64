import type { Socket, TlsStream } from '@sockeye/net';

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/** What a benchmark does with a stream: a socket does it as it is. */
export type BenchStream = Pick<
  Socket<number>,
  'recvInto' | 'sendall' | 'shutdown' | 'close' | 'closed'
>;

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

  async sendall(data: Uint8Array, _flags?: number, { signal }: Waiting = {}): Promise<void> {
    const sending = this.#stream.send(data);
    if (signal === undefined) {
      await sending;
      return;
    }
    // What is encrypted can't be taken back; the wait for it can.
    sending.catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      sending.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  shutdown(): void {
    this.#stream.shutdown().catch(() => undefined);
  }

  close(): void {
    this.#stream.destroy();
  }
}

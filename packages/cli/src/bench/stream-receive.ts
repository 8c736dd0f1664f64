import { streamPreamble } from './bench-protocol.ts';
import type { BenchStream } from './bench-stream.ts';
import type { Traffic, TrafficContext } from './traffic.ts';

const RECEIVE_BYTES = 256 * 1024;

/** Takes what the server sends, as fast as it comes. */
export class StreamReceive implements Traffic {
  readonly unanswered = 0;
  #context: TrafficContext<BenchStream>;

  constructor(context: TrafficContext<BenchStream>) {
    this.#context = context;
  }

  /** The server has the pace. */
  offer(): void {}

  async run(): Promise<void> {
    const { socket, options, clock, measurements, keepsMessages } = this.#context;
    const { signal } = clock;
    const buffer = Buffer.allocUnsafeSlow(Math.max(RECEIVE_BYTES, options.size));
    const preamble = streamPreamble('receive', options.size) ?? '';
    await socket.sendall(Buffer.from(preamble));
    for (let rest = 0; !signal.aborted; ) {
      let bytes: number;
      try {
        bytes = await socket.recvInto(buffer, 0, 0, { signal });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      if (bytes === 0) throw new Error('the server closed the connection');
      const now = performance.now();
      measurements.received(bytes, now);
      rest = keepsMessages ? options.size : rest + bytes;
      measurements.moved(Math.floor(rest / options.size), now);
      rest %= options.size;
    }
  }
}

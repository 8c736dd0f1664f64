import type { Address } from '../address/index.ts';
import type { Socket } from '../socket/index.ts';
import { descriptorOf } from '../socket/socket.ts';
import { connectionClock } from './connection-clock.ts';
import { type ConnectionHost, PlainConnection } from './plain-connection.ts';
import type { ServerLimits } from './server-options.ts';

/** Watches the deadlines of connections while their handlers run. */
export class StreamDeadlines {
  #host: ConnectionHost;

  constructor(limits: ServerLimits) {
    this.#host = { limits, clock: connectionClock(limits) };
  }

  /** Runs a handler; the connection ends under it with a ConnectionTimeoutError when overdue. */
  async watch(
    socket: Socket<number>,
    address: Address | null,
    run: () => Promise<void>,
  ): Promise<void> {
    const watched = new PlainConnection(descriptorOf(socket), address, this.#host);
    try {
      await run();
    } finally {
      this.#host.clock.delete(watched);
    }
  }
}

import type { Address } from '../address/index.ts';
import type { Socket } from '../socket/index.ts';
import { DeadlineClock } from '../socket/deadline-clock.ts';
import { PlainConnection } from './plain-connection.ts';
import type { ServerLimits } from './server-options.ts';

/** Watches the deadlines of connections while their handlers run. */
export class StreamDeadlines {
  #limits: ServerLimits;
  #clock: DeadlineClock;

  constructor(limits: ServerLimits) {
    const { firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs } = limits;
    this.#limits = limits;
    this.#clock = new DeadlineClock([firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs]);
  }

  /** Runs a handler; the connection ends under it with a ConnectionTimeoutError when overdue. */
  async watch(
    socket: Socket<number>,
    address: Address | null,
    run: () => Promise<void>,
  ): Promise<void> {
    const watched = new PlainConnection(socket, address, this.#clock, this.#limits);
    try {
      await run();
    } finally {
      this.#clock.delete(watched);
    }
  }
}

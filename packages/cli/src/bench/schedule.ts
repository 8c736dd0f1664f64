import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { RunClock } from './run-clock.ts';
import type { Traffic } from './traffic.ts';

// setTimeout is exact to a millisecond only: what is nearer is waited for in turns of the event loop,
// which costs the client's processor and not the figures.
const SPIN_MS = 2;

/**
 * Sends at a fixed rate whatever the answers do, so that a server that stalls is charged with every
 * message that it would have delayed (what is left out otherwise is called coordinated omission).
 */
export class Schedule {
  #intervalMs: number;
  #connections: number;
  #startsAt = 0;

  /** @param rate messages a second over all connections */
  constructor(rate: number, connections: number) {
    this.#intervalMs = 1000 / rate;
    this.#connections = connections;
  }

  /** When a message of a connection is due; both count from 0, and connections take turns. */
  dueAt(connection: number, index: number): number {
    return this.#startsAt + (index * this.#connections + connection) * this.#intervalMs;
  }

  /** Offers each message when it is due, until the end of the run. */
  async run(traffics: readonly Traffic[], clock: RunClock): Promise<void> {
    this.#startsAt = performance.now();
    for (let count = 0; !clock.isOver; ) {
      const now = performance.now();
      const dueCount = Math.floor((now - this.#startsAt) / this.#intervalMs) + 1;
      for (; count < dueCount; count++) traffics[count % this.#connections]?.offer();
      const waitMs = this.#startsAt + count * this.#intervalMs - performance.now();
      if (waitMs <= SPIN_MS) await turn();
      else
        await sleep(waitMs - SPIN_MS, undefined, { signal: clock.signal }).catch(() => undefined);
    }
  }
}

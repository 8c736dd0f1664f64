/** What the clock looks after. */
export interface Timed {
  /** Called every tick with the clock's time, so that it can end what is overdue. */
  onTick(now: number): void;
}

const SLOWEST_TICK_MS = 250;
const FASTEST_TICK_MS = 5;

/**
 * One coarse clock for all connections of a server. A timer for each deadline of each connection
 * would cost more than the connection's work. At every tick a connection looks whether anything
 * moved since the last: so a deadline may be late by up to a tick, never early.
 */
export class DeadlineClock {
  #tickMs: number;
  #enabled: boolean;
  #members = new Set<Timed>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutsMs the deadlines that will be watched; the tick is an eighth of the shortest */
  constructor(timeoutsMs: readonly number[]) {
    const shortest = Math.min(...timeoutsMs);
    this.#tickMs = Math.min(Math.max(shortest / 8, FASTEST_TICK_MS), SLOWEST_TICK_MS);
    this.#enabled = shortest !== Number.POSITIVE_INFINITY;
  }

  add(member: Timed): void {
    if (!this.#enabled) return;
    this.#members.add(member);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  delete(member: Timed): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    for (const member of this.#members) member.onTick(now);
  }
}

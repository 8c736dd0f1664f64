import { type Listed, Roster } from './roster.ts';

/** What the clock looks after. */
export interface Timed extends Listed {
  /** Called every tick with the clock's time, so that it can end what is overdue. */
  onTick(now: number): void;
}

const SLOWEST_TICK_MS = 250;
const FASTEST_TICK_MS = 5;

/**
 * One coarse clock for all connections of a server. A timer for each deadline of each connection
 * would cost more than the connection's work. At every tick a connection looks whether anything
 * moved since the last, so a deadline is never early, and late by two ticks at most: one until the
 * last movement is noticed, one until its end is.
 */
export class DeadlineClock<Member extends Timed = Timed> {
  /** Half of what a deadline may be late by, in milliseconds. */
  readonly tickMs: number;
  /** Those it looks after; where no deadline is watched, too. */
  readonly members = new Roster<Member>();
  #enabled: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutsMs the deadlines that will be watched; none is late by more than an eighth */
  constructor(timeoutsMs: readonly number[]) {
    const shortest = Math.min(...timeoutsMs);
    this.tickMs = Math.min(Math.max(shortest / 16, FASTEST_TICK_MS), SLOWEST_TICK_MS);
    this.#enabled = shortest !== Number.POSITIVE_INFINITY;
  }

  add(member: Member): void {
    this.members.add(member);
    if (!this.#enabled) return;
    this.#timer ??= setInterval(() => this.#tick(), this.tickMs).unref();
  }

  delete(member: Member): void {
    this.members.delete(member);
  }

  #tick(): void {
    if (this.members.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    this.members.each((member) => member.onTick(now));
  }
}

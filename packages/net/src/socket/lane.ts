import { engine, TURN_BYTES } from './engine.ts';
import { type Attempt, BUSY, isDone, TRY_LATER, WOULD_BLOCK, YIELD } from './operation.ts';
import type { Waiting } from './pending.ts';

const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 50;
// A flat charge for a call, so that endless small ones end a turn too. Arbitrary.
export const CALL_CHARGE = 1024;
// 64 KiB that UDP_SEGMENT cuts take 5 us, or UDP_GRO has joined 2: a turn has 28 of them instead of
// 4. Arbitrary.
const DATAGRAM_SHIFT = 3;
// The flat charge of one of a batch, so that endless small ones end a turn too. Arbitrary.
const DATAGRAM_CHARGE = 256;

/** What a lane has to do later. */
class Later {
  deferred = false;
  retryMs = FIRST_RETRY_MS;
  retry: NodeJS.Timeout | undefined;
}

// Apart from the lanes, since few ever need it.
const laters = new WeakMap<Lane, Later>();

function laterOf(lane: Lane): Later {
  const known = laters.get(lane);
  if (known !== undefined) return known;
  const later = new Later();
  laters.set(lane, later);
  return later;
}

/** What a lane needs of its descriptor. */
export interface LaneOwner {
  /** The head of the lane changed, or is to be waited for. */
  onWaiting(lane: Lane): void;
  /** An operation left the lane. */
  onSettled(): void;
}

/**
 * The operations of one direction of a descriptor, in the order they were called. `ready` remembers
 * what the kernel last said, so that no call is made in vain: it is true until an EAGAIN or a short
 * read, and again after the next event.
 */
export class Lane {
  ready = true;
  /** Bytes moved so far. */
  total = 0;
  head: Waiting | undefined;
  #tail: Waiting | undefined;
  #owner: LaneOwner;
  #turn = 0;
  #served = 0;

  constructor(owner: LaneOwner) {
    this.#owner = owner;
  }

  /** Whether nothing would be lost with it but the bytes it counted. */
  get atRest(): boolean {
    return this.head === undefined && this.ready && this.#turn !== engine.turn;
  }

  /** Whether what is pushed now must be as late as what is before it. */
  get isLate(): boolean {
    return this.#tail?.isLate === true;
  }

  /** False when others should have their turn first. */
  hasTurn(): boolean {
    if (this.#turn !== engine.turn) {
      this.#turn = engine.turn;
      this.#served = 0;
    }
    return this.#served < TURN_BYTES;
  }

  /** Counts bytes that were moved, against the turn and in all. */
  charge(bytes: number): void {
    this.#served += bytes;
    this.total += bytes;
  }

  /** The same for a datagram: its bytes take less of the turn than those of a stream. */
  chargeCall(bytes: number): void {
    this.total += bytes;
    this.#served += bytes >>> DATAGRAM_SHIFT;
  }

  /** The same for a batch of them. */
  chargeDatagrams(count: number, bytes: number): void {
    this.chargeCall(bytes);
    this.spend(count * DATAGRAM_CHARGE);
  }

  /** Counts against the turn what a call costs whether it moves bytes or not. */
  spend(cost: number): void {
    this.#served += cost;
  }

  push(pending: Waiting): void {
    if (this.head === undefined) this.head = pending;
    else (this.#tail as Waiting).behind = pending;
    this.#tail = pending;
  }

  /** How many operations wait. */
  count(): number {
    let count = 0;
    for (let at = this.head; at !== undefined; at = at.behind) count++;
    return count;
  }

  shift(): void {
    const gone = this.head as Waiting;
    this.head = gone.behind;
    gone.behind = undefined;
    if (this.head === undefined) this.#tail = undefined;
    this.#owner.onSettled();
  }

  remove(pending: Waiting): void {
    if (this.head === pending) {
      this.shift();
      this.run();
      return;
    }
    for (let at = this.head; at !== undefined; at = at.behind) {
      if (at.behind !== pending) continue;
      at.behind = pending.behind;
      pending.behind = undefined;
      if (this.#tail === pending) this.#tail = at;
      this.#owner.onSettled();
      return;
    }
  }

  /** Settles operations as long as the kernel and the turn let it. */
  run(): void {
    while (this.head !== undefined && this.ready) {
      const result = this.hasTurn() ? Lane.#attempt(this, this.head) : YIELD;
      if (result === WOULD_BLOCK) break;
      if (result === BUSY) return;
      if (result === YIELD) {
        this.defer();
        return;
      }
      if (result === TRY_LATER) {
        Lane.#runLater(this);
        return;
      }
    }
    if (this.head !== undefined) this.#owner.onWaiting(this);
  }

  /** The same without regard for others' turns; says what the rest, if any, waits for. */
  exhaust(): typeof WOULD_BLOCK | typeof TRY_LATER {
    this.ready = true;
    while (this.head !== undefined) {
      this.head.operation.hurry?.();
      const result = Lane.#attempt(this, this.head);
      if (result === WOULD_BLOCK) {
        this.#owner.onWaiting(this);
        return WOULD_BLOCK;
      }
      if (result === YIELD) engine.turn++;
      if (result === TRY_LATER) {
        Lane.#runLater(this);
        return TRY_LATER;
      }
    }
    return WOULD_BLOCK;
  }

  // Static, as #runLater: with a private method of its own an object takes a word more.
  /** Settles the head, if the kernel lets it. */
  static #attempt(lane: Lane, pending: Waiting): Attempt<void> {
    let result: unknown;
    lane.spend(CALL_CHARGE);
    try {
      result = pending.operation.attempt();
    } catch (error) {
      lane.shift();
      pending.reject(error);
      return undefined;
    }
    if (!isDone(result)) return result;
    lane.shift();
    pending.resolve(result);
    return undefined;
  }

  /** Runs again after the others' turn. */
  defer(): void {
    const later = laterOf(this);
    if (later.deferred) return;
    later.deferred = true;
    engine.defer(() => {
      later.deferred = false;
      this.run();
    });
  }

  static #runLater(lane: Lane): void {
    const later = laterOf(lane);
    clearTimeout(later.retry);
    // The poller keeps the process alive for what waits, so the timer needn't.
    later.retry = setTimeout(() => lane.run(), later.retryMs).unref();
    later.retryMs = Math.min(later.retryMs * 2, LAST_RETRY_MS);
  }

  /** Settles everything that waits: `settle` is called for each, in their order. */
  end(settle: (pending: Waiting) => void): void {
    clearTimeout(laters.get(this)?.retry);
    while (this.head !== undefined) {
      const pending = this.head;
      this.shift();
      settle(pending);
    }
  }
}

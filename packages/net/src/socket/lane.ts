import { engine, TURN_BYTES } from './engine.ts';
import { TRY_LATER, WOULD_BLOCK, YIELD } from './operation.ts';
import type { Pending } from './pending.ts';

const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 50;

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
  readonly direction: 'read' | 'write';
  ready = true;
  head: Pending | undefined;
  #tail: Pending | undefined;
  #owner: LaneOwner;
  #turn = 0;
  #served = 0;
  #deferred = false;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;

  constructor(direction: 'read' | 'write', owner: LaneOwner) {
    this.direction = direction;
    this.#owner = owner;
  }

  /** Notes what one operation took; false when others should have their turn first. */
  hasTurn(): boolean {
    if (this.#turn !== engine.turn) {
      this.#turn = engine.turn;
      this.#served = 0;
    }
    return this.#served < TURN_BYTES;
  }

  charge(bytes: number): void {
    this.#served += bytes;
  }

  push(pending: Pending): void {
    if (this.head === undefined) this.head = pending;
    else (this.#tail as Pending).next = pending;
    this.#tail = pending;
  }

  shift(): void {
    const gone = this.head as Pending;
    this.head = gone.next;
    if (this.head === undefined) this.#tail = undefined;
    this.#owner.onSettled();
  }

  remove(pending: Pending): void {
    if (this.head === pending) {
      this.shift();
      this.run();
      return;
    }
    for (let at = this.head; at !== undefined; at = at.next) {
      if (at.next !== pending) continue;
      at.next = pending.next;
      if (this.#tail === pending) this.#tail = at;
      this.#owner.onSettled();
      return;
    }
  }

  /** Settles operations as long as the kernel lets it. */
  run(): void {
    while (this.head !== undefined && this.ready) {
      if (!this.hasTurn()) {
        this.defer();
        return;
      }
      const pending = this.head;
      let result: unknown;
      try {
        result = pending.operation.attempt();
      } catch (error) {
        this.shift();
        pending.reject(error);
        continue;
      }
      if (result === WOULD_BLOCK) break;
      if (result === YIELD) {
        this.defer();
        return;
      }
      if (result === TRY_LATER) {
        this.#runLater();
        return;
      }
      this.shift();
      pending.resolve(result);
    }
    if (this.head !== undefined) this.#owner.onWaiting(this);
  }

  /** Runs again after the others' turn. */
  defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    engine.defer(() => {
      this.#deferred = false;
      this.run();
    });
  }

  #runLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.run(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /** Rejects everything that waits. */
  fail(error: (pending: Pending) => unknown): void {
    clearTimeout(this.#retry);
    while (this.head !== undefined) {
      const pending = this.head;
      this.shift();
      pending.reject(error(pending));
    }
  }
}

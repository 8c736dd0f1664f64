import { AsyncResource } from 'node:async_hooks';
import type { Address } from '../address/index.ts';
import { SocketError } from '../errors/index.ts';
import { Accept } from '../socket/accept.ts';
import type { Descriptor } from '../socket/descriptor.ts';
import type { Socket } from '../socket/index.ts';
import { START } from '../socket/operation.ts';
import { descriptorOf } from '../socket/socket.ts';
import type { ConnectionLimit } from './connection-limit.ts';

/** Nothing is free to accept with: the listener pauses (safety.md 8). */
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;
const WARN_EVERY_MS = 60_000;

export interface AcceptLoopEvents {
  /** A connection, which is the callee's from now on; perhaps once more after `stop`. */
  onConnection(descriptor: Descriptor, address: Address | null): void;
  /** The system has no descriptor or memory to accept with. Called at most once a minute. */
  onExhausted(error: SocketError, pauseMs: number): void;
  /** The listener failed; the loop is over. */
  onFailed(error: unknown): void;
}

/**
 * Accepts as long as there is room. What it doesn't accept waits in the kernel's backlog: nobody is
 * taken in only to be turned away.
 */
export class AcceptLoop {
  #listener: Socket<number>;
  #accept: Accept<[Descriptor, Address | null]>;
  #events: AcceptLoopEvents;
  #room: number;
  #limit: ConnectionLimit;
  #context = new AsyncResource('SOCKEYE_SERVER');
  #running = false;
  #stopped = false;
  #pauseMs = FIRST_PAUSE_MS;
  #warned = Number.NEGATIVE_INFINITY;
  #pause: NodeJS.Timeout | undefined;

  /**
   * @param room handlers that may run at once
   * @param limit connections that may be open at once, those of other servers included
   */
  constructor(
    listener: Socket<number>,
    room: number,
    limit: ConnectionLimit,
    events: AcceptLoopEvents,
  ) {
    this.#listener = listener;
    this.#accept = new Accept(descriptorOf(listener), (...accepted) => accepted);
    this.#room = room;
    this.#limit = limit;
    this.#events = events;
  }

  start(): void {
    if (this.#running || this.#stopped || this.#pause !== undefined || !this.#hasRoom()) return;
    this.#running = true;
    // Whatever context this is called in, the connections get that of the constructor.
    this.#context.runInAsyncScope(() => void this.#run());
  }

  /** A connection is gone: there is room for another, and a descriptor. */
  release(): void {
    this.#room++;
    this.#limit.release();
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.start();
  }

  /** Accepts what waits in the backlog now, before the listener is closed. */
  acceptWaiting(): void {
    if (this.#stopped) return;
    const listener = descriptorOf(this.#listener);
    try {
      while (this.#hasRoom()) this.#accepted(...listener.block(this.#accept, 0));
    } catch (error) {
      // EAGAIN: nobody waits. With any other the listener is as good as closed.
      if (!(error instanceof SocketError)) throw error;
    }
  }

  /** Ends the loop; the listener is the caller's to close. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#pause);
  }

  readonly #onReleased = (): void => this.start();

  /** Where another server has taken the last place, its end wakes this one. */
  #hasRoom(): boolean {
    if (this.#room <= 0) return false;
    if (this.#limit.hasRoom) return true;
    this.#limit.onceReleased(this.#onReleased);
    return false;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && this.#hasRoom()) {
        this.#accepted(...(await this.#listener[START](this.#accept)));
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = false;
    }
  }

  #accepted(descriptor: Descriptor, address: Address | null): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#room--;
    this.#limit.take();
    // A context of its own, so that what a handler enters there stays with its connection.
    const context = new AsyncResource('SOCKEYE_CONNECTION');
    context.runInAsyncScope(() => this.#events.onConnection(descriptor, address));
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    if (!(error instanceof SocketError) || !EXHAUSTED.has(error.code)) {
      this.#stopped = true;
      this.#events.onFailed(error);
      return;
    }
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.start();
    }, pauseMs);
    const now = performance.now();
    if (now - this.#warned < WARN_EVERY_MS) return;
    this.#warned = now;
    this.#events.onExhausted(error, pauseMs);
  }
}

import type { Address } from '../address/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';

/** Nothing is free to accept with: the listener pauses (safety.md 8). */
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;
const WARN_EVERY_MS = 60_000;

export interface AcceptLoopEvents {
  /** A connection, which is the callee's from now on. */
  onConnection(socket: Socket<number>, address: Address | null): void;
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
  #events: AcceptLoopEvents;
  #room: number;
  #running = false;
  #stopped = false;
  #pauseMs = FIRST_PAUSE_MS;
  #warned = Number.NEGATIVE_INFINITY;
  #pause: NodeJS.Timeout | undefined;

  /** @param room connections that may be open at once */
  constructor(listener: Socket<number>, room: number, events: AcceptLoopEvents) {
    this.#listener = listener;
    this.#room = room;
    this.#events = events;
  }

  start(): void {
    if (this.#running || this.#stopped || this.#room <= 0 || this.#pause !== undefined) return;
    this.#running = true;
    void this.#run();
  }

  /** A connection is gone: there is room for another. */
  release(): void {
    this.#room++;
    this.start();
  }

  /** Ends the loop; the listener is the caller's to close. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#pause);
  }

  async #run(): Promise<void> {
    try {
      while (this.#room > 0 && !this.#stopped) {
        const [socket, address] = await this.#listener.accept();
        if (this.#stopped) {
          socket.close();
          break;
        }
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#room--;
        this.#events.onConnection(socket, address);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = false;
    }
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

import { setTimeout } from 'node:timers/promises';
import { SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import type { Protection } from './protection.ts';
import { hostOf, RejectionLog, type TellRejection } from './rejection-log.ts';
import { peerOf } from './wire/socket-wire.ts';
import type { Wire } from './wire/wire.ts';

// Connections that are about to show the secret. With more of them one goes: the oldest of the host that
// has most, so that no host puts out another's. Arbitrary.
const MAX_STRANGERS = 64;
// A peer whose secret was wrong waits before its next try: 100 ms for each failure, a second at
// most, so that who shares its address is never kept out for longer. Forgotten after a minute. With
// more than so many waiting the first of them waits no longer: of a flood all are looked at, or the
// right one among them would never be.
const MAX_WAITING = 64;
const PENALTY_MS = 100;
const MAX_PENALTY_MS = 1_000;
const FORGET_MS = 60_000;
const MAX_REMEMBERED = 1_024;
// accept failed for want of descriptors or memory (safety.md 8).
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;

export interface PeerListenerOptions {
  readonly listener: Socket<number>;
  readonly protection: Protection;
  /** Takes a peer that has shown the secret. */
  onPeer(wire: Wire): void;
  /** A peer was turned away. */
  readonly onRejected: TellRejection;
}

/** A connection that hasn't shown the secret. */
interface Stranger {
  readonly host: string;
  readonly abort: AbortController;
}

/** Accepts connections and hands on those that know the secret. */
export class PeerListener {
  readonly #options: PeerListenerOptions;
  readonly #abort = new AbortController();
  readonly #strangers = new Set<Stranger>();
  readonly #waiting = new Set<AbortController>();
  readonly #failures = new Map<string, { count: number; at: number }>();
  readonly #rejections: RejectionLog;
  readonly #running: Promise<void>;

  constructor(options: PeerListenerOptions) {
    this.#options = options;
    this.#rejections = new RejectionLog(options.onRejected);
    this.#running = this.#run();
  }

  /** Stops accepting, drops who hasn't shown the secret. Peers that were handed on stay. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the listener was closed'));
    this.#options.listener.close();
    for (const { abort } of this.#strangers) abort.abort(this.#abort.signal.reason);
    for (const wait of this.#waiting) wait.abort();
    await this.#running;
    this.#rejections.flush();
  }

  /** Tells that a peer was turned away, unless there are too many. */
  reject(peer: string, text: string): void {
    this.#rejections.add(peer, text);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const [socket] = await this.#options.listener.accept({ signal });
        pauseMs = FIRST_PAUSE_MS;
        void this.#welcome(socket);
      } catch (error) {
        if (this.#options.listener.closed || !(error instanceof SocketError)) return;
        await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
      }
    }
  }

  async #welcome(socket: Socket<number>): Promise<void> {
    const peer = peerOf(socket);
    const host = hostOf(peer);
    const stranger: Stranger = { host, abort: new AbortController() };
    try {
      await this.#serveTime(host);
      this.#abort.signal.throwIfAborted();
      this.#strangers.add(stranger);
      if (this.#strangers.size > MAX_STRANGERS) {
        crowding(this.#strangers).abort.abort(new Error('too many connections without the secret'));
      }
      const wire = await this.#options.protection.server(socket, stranger.abort.signal);
      this.#failures.delete(host);
      this.#options.onPeer(wire);
    } catch (error) {
      socket.close();
      this.#remember(host);
      if (!this.#abort.signal.aborted) this.reject(peer, (error as Error).message);
    } finally {
      this.#strangers.delete(stranger);
    }
  }

  /** Waits as long as a peer from there has to. */
  async #serveTime(host: string): Promise<void> {
    const ms = this.#penaltyMs(host);
    if (ms === 0) return;
    const wait = new AbortController();
    this.#waiting.add(wait);
    if (this.#waiting.size > MAX_WAITING) {
      const [first] = this.#waiting;
      first?.abort();
      this.#waiting.delete(first as AbortController);
    }
    await setTimeout(ms, undefined, { signal: wait.signal }).catch(() => undefined);
    this.#waiting.delete(wait);
  }

  #penaltyMs(host: string): number {
    const failure = this.#failures.get(host);
    if (failure === undefined || performance.now() - failure.at > FORGET_MS) return 0;
    return Math.min(failure.count * PENALTY_MS, MAX_PENALTY_MS);
  }

  #remember(host: string): void {
    const count = (this.#failures.get(host)?.count ?? 0) + 1;
    this.#failures.delete(host);
    this.#failures.set(host, { count, at: performance.now() });
    if (this.#failures.size > MAX_REMEMBERED) {
      this.#failures.delete(this.#failures.keys().next().value as string);
    }
  }
}

/** The oldest connection of the host that has most of them. */
function crowding(strangers: ReadonlySet<Stranger>): Stranger {
  const groups = new Map<string, Stranger[]>();
  for (const stranger of strangers) {
    const group = groups.get(stranger.host) ?? [];
    group.push(stranger);
    groups.set(stranger.host, group);
  }
  const [largest] = [...groups.values()].toSorted((a, b) => b.length - a.length);
  return largest?.[0] as Stranger;
}

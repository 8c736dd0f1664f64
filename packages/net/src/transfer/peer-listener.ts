import { setTimeout } from 'node:timers/promises';
import { SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import type { Protection } from './protection.ts';
import { peerOf } from './wire/socket-wire.ts';
import type { Wire } from './wire/wire.ts';

/** Connections that haven't shown the secret. With more of them the oldest goes. Arbitrary. */
const MAX_STRANGERS = 64;
// A peer whose secret was wrong waits before its next try: 100 ms for each failure, a second at
// most, so that who shares its address is never kept out for longer. Forgotten after a minute.
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
  onRejected(peer: string, error: Error): void;
}

/** Accepts connections and hands on those that know the secret. */
export class PeerListener {
  readonly #options: PeerListenerOptions;
  readonly #abort = new AbortController();
  readonly #strangers = new Map<Socket<number>, AbortController>();
  readonly #failures = new Map<string, { count: number; at: number }>();
  readonly #running: Promise<void>;

  constructor(options: PeerListenerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Stops accepting, drops who hasn't shown the secret. Peers that were handed on stay. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the listener was closed'));
    this.#options.listener.close();
    for (const stranger of this.#strangers.values()) stranger.abort(this.#abort.signal.reason);
    await this.#running;
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
    const host = peer.replace(/:\d+$/, '');
    const abort = new AbortController();
    this.#strangers.set(socket, abort);
    if (this.#strangers.size > MAX_STRANGERS) {
      const [oldest] = this.#strangers.values();
      oldest?.abort(new Error('too many connections without the secret'));
    }
    try {
      const { signal } = abort;
      await setTimeout(this.#penaltyMs(host), undefined, { signal });
      const wire = await this.#options.protection.server(socket, signal);
      this.#failures.delete(host);
      this.#options.onPeer(wire);
    } catch (error) {
      socket.close();
      this.#remember(host);
      if (!this.#abort.signal.aborted) this.#options.onRejected(peer, error as Error);
    } finally {
      this.#strangers.delete(socket);
    }
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

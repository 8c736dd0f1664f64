import type { TransferEvent } from './transfer-event.ts';

// So many of a host are told one by one within a minute; of so many hosts, all others together. Arbitrary.
const TOLD_SINGLY = 16;
const MAX_HOSTS = 64;
const WINDOW_MS = 60_000;
const ELSEWHERE = 'other hosts';

/** Tells that a peer was turned away, or so many more of its host. */
export type TellRejection = (peer: string, text: string, more?: number) => void;

interface Rejections {
  told: number;
  more: number;
  last: string;
}

/** Tells of peers that were turned away: of a flood of them a sum, once a minute. */
export class RejectionLog {
  readonly #tell: TellRejection;
  readonly #hosts = new Map<string, Rejections>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: TellRejection) {
    this.#tell = tell;
  }

  /** @param peer host and port, or what stands for them */
  add(peer: string, text: string): void {
    const { host, rejections } = this.#of(hostOf(peer));
    this.#timer ??= setTimeout(() => this.flush(), WINDOW_MS).unref();
    if (host !== ELSEWHERE && rejections.told < TOLD_SINGLY) {
      rejections.told++;
      this.#tell(peer, text);
      return;
    }
    rejections.more++;
    rejections.last = text.replaceAll(peer, hostOf(peer));
  }

  #of(name: string): { host: string; rejections: Rejections } {
    const isKnown = this.#hosts.has(name) || this.#hosts.size < MAX_HOSTS;
    const host = isKnown ? name : ELSEWHERE;
    const rejections = this.#hosts.get(host) ?? { told: 0, more: 0, last: '' };
    this.#hosts.set(host, rejections);
    return { host, rejections };
  }

  /** Tells what was not told yet, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const hosts = [...this.#hosts];
    this.#hosts.clear();
    for (const [host, { more, last }] of hosts) {
      if (more > 0) this.#tell(host, `${more} more within a minute, the last: ${last}`, more);
    }
  }
}

/** The host of a peer, which may have a port. */
export function hostOf(peer: string): string {
  return peer.replace(/:\d+$/, '');
}

export function rejectedEvent(peer: string, text: string, more?: number): TransferEvent {
  return { type: 'rejected', peer, text, ...(more !== undefined && { more }) };
}

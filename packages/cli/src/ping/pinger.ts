import { setTimeout as sleep } from 'node:timers/promises';
import { SocketError } from '@sockeye/net';
import { reasonOf } from '../explain-error.ts';
import { icmpErrorText } from './icmp-error-text.ts';
import { type IcmpEvent, IcmpSocket } from './icmp-socket.ts';
import type { PingOptions } from './ping-options.ts';
import type { PingReporter } from './ping-reporter.ts';
import { PingStatistics } from './ping-statistics.ts';
import type { PingTarget } from './resolve-host.ts';

// The kernel turns its timestamps on in a work queue (net_enable_timestamp()); without this the first
// round trip would be measured by the event loop, ten times what it is on loopback.
const TIMESTAMPS_ON_MS = 5;
// setTimeout takes no more.
const MAX_TIMER_MS = 0x7fff_ffff;

/** A request that was sent. */
interface Probe {
  /** Counts from 1 and doesn't wrap. */
  readonly sequence: number;
  /** Milliseconds of the monotonic clock. */
  readonly sentAt: number;
  /** The kernel's, in ns of CLOCK_REALTIME. */
  sentTime?: bigint;
  isAnswered: boolean;
}

export interface PingerOptions extends PingOptions {
  readonly reporter: PingReporter;
  /** Ends the run; what has come until then counts. */
  readonly signal: AbortSignal;
}

/**
 * Pings a host to the end of the run.
 *
 * @throws CommandError where the system has no socket for it; SocketError when the socket fails
 */
export async function ping(target: PingTarget, options: PingerOptions): Promise<PingStatistics> {
  using socket = new IcmpSocket(target, options.size, options);
  return await new Pinger(target, socket, options).run();
}

class Pinger {
  #target: PingTarget;
  #socket: IcmpSocket;
  #options: PingerOptions;
  #stop = new AbortController();
  #statistics = new PingStatistics();
  /** By the 16 bits that travel: at most 65,536, each replaced when its number comes round. */
  #probes = new Map<number, Probe>();
  #startedAt = 0;

  constructor(target: PingTarget, socket: IcmpSocket, options: PingerOptions) {
    this.#target = target;
    this.#socket = socket;
    this.#options = options;
    if (options.signal.aborted) this.#stop.abort();
    else options.signal.addEventListener('abort', () => this.#stop.abort(), { once: true });
  }

  async run(): Promise<PingStatistics> {
    this.#options.reporter.start();
    await this.#pause(TIMESTAMPS_ON_MS);
    const receiving = this.#receiveAll();
    receiving.catch(() => this.#stop.abort());
    this.#startedAt = performance.now();
    await this.#sendAll();
    if (!this.#isComplete) await this.#pause(this.#patienceMs());
    this.#stop.abort();
    await receiving;
    return this.#statistics;
  }

  async #sendAll(): Promise<void> {
    const { count, intervalMs } = this.#options;
    let dueAt = this.#startedAt;
    for (let sequence = 1; sequence <= count; sequence++) {
      // A loop that was held up doesn't make up for it in a burst.
      dueAt = Math.max(dueAt + (sequence === 1 ? 0 : intervalMs), performance.now() - intervalMs);
      await this.#pause(dueAt - performance.now());
      if (this.#stop.signal.aborted) return;
      await this.#send(sequence);
    }
  }

  async #send(sequence: number): Promise<void> {
    const probe: Probe = { sequence, sentAt: performance.now(), isAnswered: false };
    this.#probes.set(sequence & 0xffff, probe);
    this.#statistics.transmitted++;
    try {
      await this.#socket.send(sequence);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#fail(probe, undefined, reasonOf(error));
    }
    this.#touch();
  }

  /** How long to wait after the last request: as iputils, which takes the slowest reply twice. */
  #patienceMs(): number {
    const { timeoutMs, intervalMs } = this.#options;
    const slowest = this.#statistics.roundTrips?.maxMs;
    return slowest === undefined ? timeoutMs : Math.max(2 * slowest, intervalMs);
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { signal } = this.#stop;
    await sleep(Math.min(ms, MAX_TIMER_MS), undefined, { signal }).catch(() => undefined);
  }

  async #receiveAll(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#socket.wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      const now = performance.now();
      for (const event of await this.#socket.take()) this.#handle(event, now);
      if (this.#isComplete) this.#stop.abort();
    }
  }

  /** Whether all requests that were asked for have come to something. */
  get #isComplete(): boolean {
    const { received, errors } = this.#statistics;
    return received + errors >= this.#options.count;
  }

  #handle(event: IcmpEvent, now: number): void {
    const probe = this.#probes.get(event.sequence);
    if (event.kind === 'sent') {
      if (probe !== undefined) probe.sentTime ??= event.time;
      return;
    }
    // It answers what was never asked.
    if (probe === undefined) return;
    if (event.kind === 'error') {
      const { error } = event;
      this.#fail(probe, error.offender, icmpErrorText(error, this.#target.version));
    } else {
      this.#reply(event, probe, now);
    }
    this.#touch();
  }

  #fail({ sequence }: Probe, from: string | undefined, message: string): void {
    this.#statistics.errors++;
    this.#options.reporter.tell({ type: 'error', from, sequence, message });
  }

  #reply(event: IcmpEvent & { kind: 'reply' }, probe: Probe, now: number): void {
    const statistics = this.#statistics;
    const rttMs = roundTripMs(probe, event.time, now);
    const isCorrupted = !event.isIntact;
    const isDuplicate = !isCorrupted && probe.isAnswered;
    if (isCorrupted) statistics.corrupted++;
    else {
      statistics.addRoundTrip(rttMs);
      if (isDuplicate) statistics.duplicates++;
      else statistics.received++;
      probe.isAnswered = true;
    }
    this.#options.reporter.tell({
      type: 'reply',
      from: event.from,
      sequence: probe.sequence,
      bytes: event.bytes,
      ttl: event.ttl,
      rttMs,
      isDuplicate,
      isCorrupted,
      isFromElsewhere: isFromElsewhere(event.from, this.#target.address),
    });
  }

  #touch(): void {
    this.#statistics.elapsedMs = performance.now() - this.#startedAt;
  }
}

/**
 * From the kernel's two times where it gave both. CLOCK_REALTIME may have been set in between: then
 * the monotonic clock, which bounds what is possible, has the say.
 */
function roundTripMs(probe: Probe, time: bigint | undefined, now: number): number {
  const measured = now - probe.sentAt;
  if (time === undefined || probe.sentTime === undefined) return measured;
  const kernel = Number(time - probe.sentTime) / 1e6;
  return kernel >= 0 && kernel <= measured ? kernel : measured;
}

/** Only a single host's reply comes from where it was asked for: not a group's, a broadcast's, any's. */
function isFromElsewhere(from: string, address: string): boolean {
  const isGroup = /^(22[4-9]|23\d)\.|\.255$|^ff/i.test(address);
  const isAny = address === '0.0.0.0' || address === '::';
  return !isGroup && !isAny && withoutZone(from) !== withoutZone(address);
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

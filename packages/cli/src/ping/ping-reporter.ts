import { escapeText } from '../text/escape-text.ts';
import type { PingOptions } from './ping-options.ts';
import type { PingStatistics } from './ping-statistics.ts';
import type { PingTarget } from './resolve-host.ts';

/** What happens while a host is pinged. */
export type PingEvent =
  | {
      readonly type: 'reply';
      readonly from: string;
      readonly sequence: number;
      readonly bytes: number;
      readonly ttl: number | undefined;
      /** undefined for a reply whose request is forgotten. */
      readonly rttMs: number | undefined;
      readonly isDuplicate: boolean;
      readonly isCorrupted: boolean;
      readonly isFromElsewhere: boolean;
    }
  | {
      readonly type: 'error';
      /** undefined where our own kernel refused to send. */
      readonly from: string | undefined;
      readonly sequence: number;
      readonly message: string;
    };

// Bytes of the headers that the size in parentheses counts: IPv4 without options, and ICMP.
const HEADERS_4 = 28;

/** Writes what happens, as ping of iputils does, or as JSON objects. */
export class PingReporter {
  #target: PingTarget;
  #options: Pick<PingOptions, 'quiet' | 'json' | 'size'>;

  constructor(target: PingTarget, options: Pick<PingOptions, 'quiet' | 'json' | 'size'>) {
    this.#target = target;
    this.#options = options;
  }

  start(): void {
    const { name, address, version } = this.#target;
    const { size, json, quiet } = this.#options;
    if (json && quiet) return;
    if (json) this.#writeJson({ type: 'start', host: name, address, version, bytes: size });
    else if (version === 4)
      this.#write(`PING ${name} (${address}) ${size}(${size + HEADERS_4}) bytes of data.`);
    else this.#write(`PING ${name}(${address}) ${size} data bytes`);
  }

  tell(event: PingEvent): void {
    if (this.#options.quiet) return;
    if (this.#options.json) this.#writeJson(event);
    else this.#write(event.type === 'reply' ? this.#replyText(event) : errorText(event));
  }

  finish(statistics: PingStatistics): void {
    const { transmitted, received, duplicates, corrupted, errors, loss, roundTrips } = statistics;
    const elapsedMs = Math.round(statistics.elapsedMs);
    if (this.#options.json) {
      const counts = { transmitted, received, duplicates, corrupted, errors, loss };
      this.#writeJson({ type: 'statistics', ...counts, elapsedMs, ...rounded(roundTrips) });
      return;
    }
    const parts = [
      `${transmitted} packets transmitted, ${received} received`,
      ...(duplicates > 0 ? [`+${duplicates} duplicates`] : []),
      ...(corrupted > 0 ? [`+${corrupted} corrupted`] : []),
      ...(errors > 0 ? [`+${errors} errors`] : []),
      `${Number(loss.toPrecision(6))}% packet loss`,
      `time ${elapsedMs}ms`,
    ];
    this.#write(`\n--- ${this.#target.name} ping statistics ---\n${parts.join(', ')}`);
    if (roundTrips === undefined) return this.#write('');
    const { minMs, avgMs, maxMs, mdevMs } = roundTrips;
    const times = [minMs, avgMs, maxMs, mdevMs].map((ms) => ms.toFixed(3)).join('/');
    this.#write(`rtt min/avg/max/mdev = ${times} ms`);
  }

  #replyText(event: PingEvent & { type: 'reply' }): string {
    const { name, address } = this.#target;
    const isNamed = name !== address && !event.isFromElsewhere;
    const parts = [
      `${event.bytes} bytes from ${isNamed ? `${name} (${event.from})` : event.from}:`,
      `icmp_seq=${event.sequence}`,
      ...(event.ttl === undefined ? [] : [`ttl=${event.ttl}`]),
      ...(event.rttMs === undefined ? [] : [`time=${roundTripText(event.rttMs)} ms`]),
      ...(event.isDuplicate ? ['(DUP!)'] : []),
      ...(event.isCorrupted ? ['(CORRUPTED!)'] : []),
      ...(event.isFromElsewhere ? ['(DIFFERENT ADDRESS!)'] : []),
    ];
    return parts.join(' ');
  }

  #write(line: string): void {
    process.stdout.write(`${escapeText(line, { keep: '\n' })}\n`);
  }

  #writeJson(event: object): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

function errorText({ from, sequence, message }: PingEvent & { type: 'error' }): string {
  if (from === undefined) return `Cannot send icmp_seq=${sequence}: ${message}`;
  return `From ${from} icmp_seq=${sequence} ${message}`;
}

/** Four significant digits at most, as iputils. */
function roundTripText(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  if (ms >= 10) return ms.toFixed(1);
  return ms.toFixed(ms >= 1 ? 2 : 3);
}

/** Nanoseconds are what the kernel counts; the digits below them are the division's. */
function rounded(values: object | undefined): object {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, ms]) => [name, Number(Number(ms).toFixed(6))]),
  );
}

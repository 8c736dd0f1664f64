import { reasonOf } from '../explain-error.ts';
import type { BenchOptions } from './bench-options.ts';
import {
  formatCounted,
  formatByteRate,
  formatCount,
  formatLatency,
  formatShare,
} from './format-quantity.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { Measurements } from './measurements.ts';
import type { BenchRun } from './run-bench.ts';

const PERCENTILES = [50, 90, 99, 99.9] as const;
// From here on the client is as likely the limit as the server.
const BUSY_CLIENT = 0.9;

/** What a run is called by. */
export interface BenchSubject extends BenchOptions {
  readonly address: string;
}

/** The result as one JSON object: latencies in microseconds, rates a second. */
export function benchJson(subject: BenchSubject, run: BenchRun): object {
  const { measurements: m } = run;
  const seconds = run.measuredMs / 1000;
  const perSecond = (count: number): number => (seconds === 0 ? 0 : count / seconds);
  return {
    type: 'result',
    address: subject.address,
    mode: subject.mode,
    size: subject.size,
    connections: subject.connections,
    depth: subject.depth,
    rate: subject.rate ?? null,
    seconds,
    messages: m.messages,
    messagesPerSecond: perSecond(m.messages),
    bytesSentPerSecond: perSecond(m.bytesSent),
    bytesReceivedPerSecond: perSecond(m.bytesReceived),
    latency: m.latencies.count === 0 ? null : latencyJson(m.latencies, subject),
    offered: m.offered,
    lost: m.lost,
    unanswered: run.unanswered,
    serverBytes: m.serverBytes ?? null,
    serverMessages: m.serverMessages ?? null,
    failures: m.failures,
    failure: m.failures === 0 ? null : reasonOf(m.firstFailure),
    clientCpu: run.clientCpu,
    interrupted: run.isInterrupted && m.failures < subject.connections,
  };
}

function latencyJson(latencies: LatencyHistogram, { rate }: BenchOptions): object {
  const us = (ns: number): number => ns / 1000;
  return {
    count: latencies.count,
    from: rate === undefined ? 'send' : 'schedule',
    minUs: us(latencies.minNs),
    meanUs: us(latencies.meanNs),
    p50Us: us(latencies.percentileNs(50)),
    p90Us: us(latencies.percentileNs(90)),
    p99Us: us(latencies.percentileNs(99)),
    p999Us: us(latencies.percentileNs(99.9)),
    maxUs: us(latencies.maxNs),
  };
}

/** The result as a table for people. */
export function benchTable(subject: BenchSubject, run: BenchRun): string {
  const { measurements: m } = run;
  const seconds = run.measuredMs / 1000;
  const rows: [string, string][] = [
    ['messages', `${formatCount(m.messages)}   ${formatCount(m.messages / seconds)}/s`],
  ];
  if (m.bytesSent > 0) rows.push(['sent', formatByteRate(m.bytesSent / seconds)]);
  if (m.bytesReceived > 0) rows.push(['received', formatByteRate(m.bytesReceived / seconds)]);
  if (m.offered > 0) rows.push(['lost', lossText(m)]);
  if (run.unanswered > 0) rows.push(['unanswered', `${formatCount(run.unanswered)} at the end`]);
  if (subject.mode === 'send' && !run.isInterrupted) {
    rows.push(['arrived', arrivalText(m, subject.connections)]);
  }
  rows.push(...latencyRows(m.latencies));
  rows.push(['client', `${formatShare(run.clientCpu)} of a processor${busyText(run.clientCpu)}`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}   ${value}`);
  return [headline(subject, seconds), '', ...lines, ...notes(subject, m.latencies)].join('\n');
}

function headline(subject: BenchSubject, seconds: number): string {
  const { address, mode, size, connections, depth, rate } = subject;
  const parts = [
    address,
    mode,
    `${formatCount(size)} B`,
    formatCounted(connections, 'connection'),
    ...(mode === 'receive' ? [] : [`depth ${depth}`]),
    ...(rate === undefined ? [] : [`${formatCount(rate)}/s`]),
    `${seconds.toFixed(2)} s`,
  ];
  return parts.join(', ');
}

function lossText({ lost, offered }: Measurements): string {
  return `${formatCount(lost)} of ${formatCount(offered)} datagrams (${formatShare(lost / offered)})`;
}

/** Only a server of ours counts; without it, "sent" is what this side's system took. */
function arrivalText({ serverBytes, reports }: Measurements, connections: number): string {
  if (serverBytes === undefined) {
    return 'the server does not say (bench --serve does); sent is what the system here took';
  }
  const part =
    reports === connections ? '' : ` on ${reports} of ${formatCounted(connections, 'connection')}`;
  return `${formatCount(serverBytes)} B, the server says${part}`;
}

function latencyRows(latencies: LatencyHistogram): [string, string][] {
  if (latencies.count === 0) return [];
  const rows: [string, string][] = PERCENTILES.map((percent) => [
    `p${percent}`,
    formatLatency(latencies.percentileNs(percent)),
  ]);
  return [
    ['min', formatLatency(latencies.minNs)],
    ...rows,
    ['max', formatLatency(latencies.maxNs)],
  ];
}

function busyText(clientCpu: number): string {
  return clientCpu >= BUSY_CLIENT ? ': it may be what limits' : '';
}

function notes({ rate }: BenchOptions, latencies: LatencyHistogram): string[] {
  if (latencies.count === 0) return [];
  return [
    '',
    rate === undefined
      ? 'Latency is from each send. While an answer is late nothing more is sent, so that a stall\n' +
        'counts once (coordinated omission); --rate counts every message that it delays.'
      : 'Latency is from the time at which each message was due (no coordinated omission).',
  ];
}

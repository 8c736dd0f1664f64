import type { DeadlineKind } from './connection.ts';
import type { Refusal } from './peer-filter.ts';

/** What a server counts, since it started. */
export interface ServerCounters {
  accepted: number;
  closed: number;
  handlerErrors: number;
  handshakeErrors: number;
  acceptPauses: number;
  bytesReceived: number;
  bytesSent: number;
  refused: Record<Refusal, number>;
  timeouts: Record<DeadlineKind, number>;
}

export function newCounters(): ServerCounters {
  return {
    accepted: 0,
    closed: 0,
    handlerErrors: 0,
    handshakeErrors: 0,
    acceptPauses: 0,
    bytesReceived: 0,
    bytesSent: 0,
    refused: { denied: 0, 'not allowed': 0, 'too many from this address': 0 },
    timeouts: { 'proxy header': 0, 'first byte': 0, idle: 0, write: 0 },
  };
}

function metric(name: string, type: string, help: string, samples: [string, number][]): string[] {
  const lines = samples.map(([labels, value]) => `sockeye_${name}${labels} ${value}`);
  return [`# HELP sockeye_${name} ${help}`, `# TYPE sockeye_${name} ${type}`, ...lines];
}

const labelled = (label: string, counts: Record<string, number>): [string, number][] =>
  Object.entries(counts).map(([key, value]) => [`{${label}="${key.replaceAll(' ', '_')}"}`, value]);

/** The counters in Prometheus' text format 0.0.4. */
export function prometheusText(counters: ServerCounters, open: number, ready: boolean): string {
  return [
    ...metric('connections_open', 'gauge', 'Connections open now.', [['', open]]),
    ...metric('ready', 'gauge', '1 while connections are accepted.', [['', ready ? 1 : 0]]),
    ...metric('connections_accepted_total', 'counter', 'Connections accepted.', [
      ['', counters.accepted],
    ]),
    ...metric('connections_closed_total', 'counter', 'Connections ended.', [['', counters.closed]]),
    ...metric(
      'connections_refused_total',
      'counter',
      'Connections closed at once.',
      labelled('reason', counters.refused),
    ),
    ...metric(
      'connections_timed_out_total',
      'counter',
      'Connections ended by a deadline.',
      labelled('deadline', counters.timeouts),
    ),
    ...metric('handler_errors_total', 'counter', 'Handlers that failed.', [
      ['', counters.handlerErrors],
    ]),
    ...metric('handshake_errors_total', 'counter', 'Failed TLS handshakes and PROXY headers.', [
      ['', counters.handshakeErrors],
    ]),
    ...metric('accept_pauses_total', 'counter', 'Pauses for want of descriptors or memory.', [
      ['', counters.acceptPauses],
    ]),
    ...metric('received_bytes_total', 'counter', 'Bytes received on ended connections.', [
      ['', counters.bytesReceived],
    ]),
    ...metric('sent_bytes_total', 'counter', 'Bytes sent on ended connections.', [
      ['', counters.bytesSent],
    ]),
    '',
  ].join('\n');
}

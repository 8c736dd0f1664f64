import { counted } from '../text/counted.ts';
import { escapeText } from '../text/escape-text.ts';

/** What a server tells: a line of text on stderr, or a JSON object on stdout. */
export type ServeEvent =
  | { readonly type: 'listening'; readonly address: string }
  | { readonly type: 'connected'; readonly peer: string; readonly connections: number }
  | {
      readonly type: 'refused';
      readonly peer: string;
      readonly reason: string;
      readonly connections: number;
    }
  | {
      readonly type: 'disconnected';
      readonly peer: string;
      readonly received: number;
      readonly sent: number;
      readonly seconds: number;
      readonly reason: string;
      readonly connections: number;
    }
  | {
      readonly type: 'forwarded';
      readonly connections: number;
      readonly toTarget: number;
      readonly toClients: number;
    }
  | { readonly type: 'reloaded'; readonly module: string }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'draining'; readonly connections: number; readonly seconds: number };

export interface ReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

// What comes and goes with every client is told only who asks for it.
const OF_EACH_CLIENT: ReadonlySet<ServeEvent['type']> = new Set([
  'connected',
  'refused',
  'disconnected',
]);
// Arbitrary: often enough to be seen, seldom enough for a log.
const WARNING_INTERVAL_MS = 10_000;

/** Writes what a server tells. */
export class Reporter {
  #options: ReporterOptions;
  #lastWarning = new Map<string, number>();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  tell(event: ServeEvent): void {
    if (this.#options.json) process.stdout.write(`${JSON.stringify(event)}\n`);
    if (this.#shows(event)) process.stderr.write(`${escapeText(textOf(event), { keep: '' })}\n`);
  }

  /** Tells of a problem, at most once in a while for each `kind`. */
  warn(kind: string, message: string): void {
    const now = performance.now();
    if (now - (this.#lastWarning.get(kind) ?? Number.NEGATIVE_INFINITY) < WARNING_INTERVAL_MS) {
      return;
    }
    this.#lastWarning.set(kind, now);
    this.tell({ type: 'warning', message });
  }

  #shows(event: ServeEvent): boolean {
    const { json, quiet, verbose } = this.#options;
    if (quiet) return false;
    if (event.type === 'listening') return true;
    if (json) return false;
    return verbose || !OF_EACH_CLIENT.has(event.type);
  }
}

function textOf(event: ServeEvent): string {
  switch (event.type) {
    case 'listening':
      return `listening on ${event.address}`;
    case 'connected':
      return `connected ${event.peer} (${event.connections} now)`;
    case 'refused':
      return `refused ${event.peer}: ${event.reason} (${event.connections} now)`;
    case 'disconnected':
      return (
        `disconnected ${event.peer}: ${event.reason}; received ${event.received}, ` +
        `sent ${counted(event.sent, 'byte')} in ${event.seconds.toFixed(3)} s (${event.connections} now)`
      );
    case 'forwarded':
      return (
        `forwarded ${counted(event.connections, 'client')}: ` +
        `${counted(event.toTarget, 'byte')} to the target, ${event.toClients} back`
      );
    case 'reloaded':
      return `reloaded ${event.module}`;
    case 'warning':
      return `sockeye: ${event.message}`;
    case 'draining':
      return drainingText(event.connections, event.seconds);
    default:
      return event satisfies never;
  }
}

function drainingText(connections: number, seconds: number): string {
  const clients = counted(connections, 'client');
  const verb = connections === 1 ? 'has' : 'have';
  const time = Number.isFinite(seconds) ? `${seconds} s left` : 'no deadline';
  return `draining: ${clients} ${verb} ${time}; a second signal ends at once`;
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration, parseTimeLimit } from '../duration.ts';
import { type Access, addAccessFlags } from './access.ts';

/** What every server is told. */
export interface ServerFlags extends Access {
  readonly maxConnections: number;
  readonly drain: number;
  readonly portFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Adds --allow, --deny, --port-file, --json, --quiet, --verbose. */
export function addServerFlags(command: Command): Command {
  return addAccessFlags(command)
    .option('--port-file <file>', 'write the port here once it listens, one line an address')
    .option('--json', 'print events as JSON objects, one a line, on stdout')
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'tell of each client that comes and goes');
}

/** A time with a default. */
export function durationOption(
  flag: string,
  what: string,
  defaultMs: number,
  parse: (text: string) => number = parseTimeLimit,
): Option {
  return new Option(`${flag} <time>`, `time ${what}: 10s, 500ms, 5m, none`)
    .argParser(parse)
    .default(defaultMs, formatDuration(defaultMs));
}

/** How long open clients have at the end. */
export function drainOption(defaultMs: number): Option {
  return durationOption('--drain', 'for open clients at the end', defaultMs, parseDuration);
}

/** A number from 1 on, with a default. */
export function countOption(flags: string, what: string, defaultCount: number): Option {
  return new Option(flags, what).default(defaultCount).argParser(parseCount);
}

/** A number from 1 on. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number from 1 on.');
}

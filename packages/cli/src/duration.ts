import { InvalidArgumentError } from 'commander';

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/**
 * Reads `10s`, `500ms`, `5m`, `1h`, a number of seconds, or `none`.
 *
 * @returns milliseconds; Infinity for `none`
 * @throws InvalidArgumentError
 */
export function parseDuration(text: string): number {
  if (text === 'none') return Number.POSITIVE_INFINITY;
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit);
  if (number === undefined || unitMs === undefined) {
    throw new InvalidArgumentError('Expected a duration: 10s, 500ms, 5m, none, or 10 for seconds.');
  }
  return Number(number) * unitMs;
}

/**
 * The same for a time that something may take: at least a millisecond.
 *
 * @throws InvalidArgumentError
 */
export function parseTimeLimit(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 1) return ms;
  throw new InvalidArgumentError('Expected at least 1ms; none is for no limit.');
}

/** Milliseconds as they are typed: `500ms`, `10s`, `none`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'none';
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

import { InvalidArgumentError } from 'commander';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
  ['T', 1024 ** 4],
]);

/**
 * Reads a number of bytes: `500`, `64k`, `10M`, `1.5G`, or `none`.
 *
 * @returns bytes; Infinity for `none`
 * @throws InvalidArgumentError
 */
export function parseSize(text: string): number {
  if (text === 'none') return Number.POSITIVE_INFINITY;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMGT]?)$/.exec(text) ?? [];
  const bytes = number === undefined ? 0 : Math.floor(Number(number) * (UNITS.get(unit) ?? 0));
  if (bytes <= 0) throw new InvalidArgumentError('Expected bytes: 500, 64k, 10M, 1.5G or none.');
  return bytes;
}

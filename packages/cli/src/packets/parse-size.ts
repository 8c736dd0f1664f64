import { InvalidArgumentError } from 'commander';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
]);

/**
 * Reads `4096`, `512k`, `10M`, `1G`: units of 1024.
 *
 * @returns bytes, at least 1
 * @throws InvalidArgumentError
 */
export function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,12})([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = UNITS.get(unit.toLowerCase());
  const bytes = Number(number) * (factor ?? 0);
  if (number !== undefined && bytes >= 1) return bytes;
  throw new InvalidArgumentError('Expected a size: 4096, 512k, 10M or 1G.');
}

import { InvalidArgumentError } from 'commander';

/** Reads a whole number of a range, for an option. */
export function numberFrom(low: number, high: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= low && Number(text) <= high) return Number(text);
    throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
  };
}

import type { Meanings } from '../packet-reader.ts';

/** Meanings from a table of numbers and names. */
export function names(table: Readonly<Record<number, string>>): Meanings {
  const map = new Map(Object.entries(table).map(([key, name]) => [Number(key), name]));
  return (value) => map.get(value);
}

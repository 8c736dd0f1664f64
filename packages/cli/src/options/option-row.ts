import type { ListedOption } from '@sockeye/net';
import { describeValue } from './describe-value.ts';
import { levelName } from './level-name.ts';

/** An option as it is shown. */
export interface OptionRow {
  readonly level: string;
  readonly name: string;
  readonly access: 'read, set' | 'read' | 'set';
  readonly value: string;
}

const ACCESS = { rw: 'read, set', r: 'read', w: 'set' } as const;

/** The words for an option. */
export function optionRow(option: ListedOption): OptionRow {
  return {
    level: levelName(option.level),
    name: option.name,
    access: ACCESS[option.access],
    value: valueText(option),
  };
}

function valueText(option: ListedOption): string {
  const { error, access, value } = option;
  if (error?.code === 'ENOPROTOOPT') return '- (this kernel or socket lacks it)';
  if (error !== undefined) return `- (${error.code})`;
  if (access === 'w') return '-';
  return value === undefined ? '- (reading would change it)' : describeValue(option);
}

/** The same for a program: numbers stay numbers. */
export function optionJson(option: ListedOption): object {
  const { name, level, number, access, kind, unit, value, error } = option;
  return {
    name,
    level: levelName(level),
    levelNumber: level,
    number,
    settable: access !== 'r',
    readable: access !== 'w',
    kind,
    unit: unit ?? null,
    value: jsonValue(value) ?? null,
    error: error?.code ?? null,
  };
}

/** What JSON lacks: bytes become hex digits, large numbers and infinity text. */
function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint' || value === Number.POSITIVE_INFINITY) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonValue(part)]));
}

import * as net from '@sockeye/net';

// The families of constants that name an option's values.
const WORDS: Readonly<Record<string, string>> = {
  SO_DOMAIN: 'AF_',
  SO_TYPE: 'SOCK_',
  SO_PROTOCOL: 'IPPROTO_',
  IP_MTU_DISCOVER: 'IP_PMTUDISC_',
  IPV6_MTU_DISCOVER: 'IPV6_PMTUDISC_',
};

// Names that share their number with one that people use.
const ALIASES: ReadonlySet<string> = new Set([
  'AF_FILE',
  'AF_LOCAL',
  'AF_ROUTE',
  'IPPROTO_HOPOPTS',
]);

// The values of this that stand for nothing set, in the kernel's way of saying so.
const NONE: ReadonlyMap<string, number> = new Map([
  ['rcvRttUs', 0],
  ['minRttUs', 0xffff_ffff],
  ['sndSsthreshSegments', 0x7fff_ffff],
]);

// include/net/tcp_states.h, which is also the order of the names.
const TCP_STATES = [
  'TCP_ESTABLISHED',
  'TCP_SYN_SENT',
  'TCP_SYN_RECV',
  'TCP_FIN_WAIT1',
  'TCP_FIN_WAIT2',
  'TCP_TIME_WAIT',
  'TCP_CLOSE',
  'TCP_CLOSE_WAIT',
  'TCP_LAST_ACK',
  'TCP_LISTEN',
  'TCP_CLOSING',
  'TCP_NEW_SYN_RECV',
];

// A unit that a struct's field has in its name, at the end. The longer ones first.
const FIELD_UNITS: readonly [suffix: string, unit: string][] = [
  ['BytesPerSecond', 'bytes/s'],
  ['Segments', 'segments'],
  ['Bytes', 'bytes'],
  ['Us', 'µs'],
  ['Ms', 'ms'],
];

const SECONDS_IN: readonly [seconds: number, word: string][] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

// A struct with more fields than this has each on a line of its own.
const FIELDS_IN_A_LINE = 6;

/**
 * A value in words: `on`, `131072 bytes`, `7200 s (2 h)`, `SOCK_STREAM`. On one line, but for a large
 * struct, which has a line for each field.
 */
export function describeValue({ name, kind, unit, value }: net.ListedOption): string {
  switch (kind) {
    case 'boolean':
      return value === true ? 'on' : 'off';
    case 'string':
      return value === '' ? 'none' : String(value);
    case 'bytes':
      return value instanceof Uint8Array ? describeBytes(value) : String(value);
    case 'duration':
    case 'integer':
      return describeNumber(name, Number(value), unit);
    case 'bigint':
      return String(value);
    case 'struct':
      return describeStruct(value);
    default:
      return kind satisfies never;
  }
}

function describeNumber(name: string, value: number, unit: string | undefined): string {
  const prefix = WORDS[name];
  // Protocol 0 is IP's only among internet sockets.
  const isNamed = prefix !== undefined && !(name === 'SO_PROTOCOL' && value === 0);
  const word = isNamed ? constantName(prefix, value) : undefined;
  if (word !== undefined) return `${word} (${value})`;
  if (value === Number.POSITIVE_INFINITY) return 'no limit';
  const text = unit === undefined ? String(value) : `${value} ${unit}`;
  return unit === 's' ? `${text}${inLargerUnit(value)}` : text;
}

/** The name of a constant by its value: `SOCK_STREAM`, never `SOCK_SNDBUF_LOCK`. */
export function constantName(prefix: string, value: number): string | undefined {
  const named = ([name, constant]: [string, unknown]): boolean =>
    constant === value &&
    name.startsWith(prefix) &&
    !name.includes('_', prefix.length) &&
    !ALIASES.has(name);
  return Object.entries(net).find(named)?.[0];
}

function inLargerUnit(seconds: number): string {
  const found = SECONDS_IN.find(([size]) => seconds >= size && seconds % size === 0);
  return found === undefined ? '' : ` (${seconds / found[0]} ${found[1]})`;
}

function describeBytes(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'none' : Buffer.from(bytes).toString('hex');
}

function describeStruct(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(plain).join(' ');
  if (typeof value !== 'object') return plain(value);
  const fields = Object.entries(value);
  const labels = labelsOf(fields.map(([field]) => field));
  if (fields.length <= FIELDS_IN_A_LINE) {
    return fields
      .map(([field, part], i) => `${labels[i]} ${describeField(field, part)}`)
      .join(', ');
  }
  const width = Math.max(...labels.map((label) => label.length));
  return fields
    .map(([field, part], i) => `${(labels[i] ?? '').padEnd(width)}  ${describeField(field, part)}`)
    .join('\n');
}

/** The names of fields without their units, but where two would be called the same. */
function labelsOf(fields: readonly string[]): string[] {
  const short = fields.map((field) => field.slice(0, field.length - unitOf(field)[0].length));
  return fields.map((field, i) => {
    const label = short[i] ?? field;
    return short.indexOf(label) === short.lastIndexOf(label) ? label : field;
  });
}

function unitOf(field: string): readonly [suffix: string, unit: string] {
  return FIELD_UNITS.find(([end]) => field.endsWith(end)) ?? ['', ''];
}

function describeField(field: string, value: unknown): string {
  if (field === 'state' && typeof value === 'number') {
    return TCP_STATES[value - 1] ?? String(value);
  }
  const [, unit] = unitOf(field);
  if (NONE.get(field) === value) return 'none';
  if (value === Number.POSITIVE_INFINITY) return 'no limit';
  return `${plain(value)}${unit === '' ? '' : ` ${unit}`}`;
}

function plain(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (value instanceof Uint8Array) return describeBytes(value);
  return typeof value === 'object' && value !== null
    ? `{ ${describeStruct(value)} }`
    : String(value);
}

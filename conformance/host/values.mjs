// JSON has no byte strings, no Infinity and no undefined: { $: kind } stands for them. The Python
// side of the same table is bridge/values.py.

/** What a Python value becomes that JavaScript has no like of: every check of a type must refuse it. */
const FOREIGN = Object.freeze(Object.create(null));

export function decode(value, raw, fds) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decode(item, raw, fds));
  switch (value.$) {
    case undefined:
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, decode(item, raw, fds)]),
      );
    case 'bytes':
      // A copy: raw is a view of a shared chunk, and the library may hold the buffer for long.
      return Buffer.from(raw.subarray(value.at, value.at + value.length));
    case 'room':
      return Buffer.alloc(value.length);
    case 'number':
      return Number(value.text);
    case 'bigint':
      return BigInt(value.text);
    case 'fd':
      return fds[value.index];
    case 'undefined':
      return undefined;
    case 'foreign':
      return FOREIGN;
    default:
      throw new Error(`Cannot decode value: kind ${value.$}`);
  }
}

export function encode(value, raw) {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return { $: 'bigint', text: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value))
    return { $: 'number', text: `${value}` };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    const at = raw.reduce((sum, part) => sum + part.length, 0);
    raw.push(value);
    return { $: 'bytes', at, length: value.length };
  }
  if (Array.isArray(value)) return value.map((item) => encode(item, raw));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item, raw)]));
}

export function encodeError(error) {
  if (!(error instanceof Error)) return { kind: 'Error', message: String(error) };
  const { name, code, errno, message, bytesSent, stack } = error;
  const kind = [...kinds(error)].find((known) => KINDS.has(known)) ?? 'Error';
  const errors = error instanceof AggregateError ? error.errors.map(encodeError) : undefined;
  return { kind, name, code, errno, message, bytesSent, stack, errors };
}

const KINDS = new Set([
  'TimeoutError',
  'AddressInfoError',
  'HostError',
  'SocketError',
  'TypeError',
  'RangeError',
  'AggregateError',
]);

function* kinds(error) {
  yield error.name;
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    yield at.constructor.name;
  }
}

import { inspect } from 'node:util';

function shown(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The TypeError for an argument of the wrong type, with Node's code for it. */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`Cannot use ${name}: expected ${expected}, got ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

/** The RangeError for a number outside its range, with Node's code for it. */
export function outOfRange(name: string, range: string, value: unknown): RangeError {
  const error = new RangeError(`Cannot use ${name}: ${shown(value)} is not ${range}`);
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

/** The TypeError for a value of the right type that means nothing here, with Node's code for it. */
export function invalidValue(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`Cannot use ${name}: expected ${expected}, got ${shown(value)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}

/** The Error for a call that the object's state rules out, with Node's code for it. */
export function invalidState(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_STATE' });
}

/**
 * Refuses what is no object, and names that mean nothing: a limit that is misspelt is no limit.
 *
 * @param names those that mean something
 */
export function checkOptionNames(options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', 'an object', options);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalidValue('options', `one of ${names.join(', ')}`, unknown);
  }
}

/** An integer from `low` to `high`; else TypeError or RangeError. */
export function checkInteger(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isInteger(value)) {
    if (Number.isNaN(value) || Number.isFinite(value)) throw invalidType(name, 'an integer', value);
    throw outOfRange(name, `in ${low}…${high}`, value);
  }
  if (value < low || value > high) throw outOfRange(name, `in ${low}…${high}`, value);
  return value;
}

/** A Uint8Array over memory that is not shared; else TypeError. */
export function checkBytes(name: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    const advice = typeof value === 'string' ? ' (for text: Buffer.from(text))' : '';
    throw invalidType(name, `a Uint8Array${advice}`, value);
  }
  // Another thread could change it under the kernel's hands.
  if (value.buffer instanceof SharedArrayBuffer) {
    throw invalidType(name, 'a Uint8Array over memory that is not shared', value);
  }
  return value;
}

/** A boolean; else TypeError. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw invalidType(name, 'a boolean', value);
}

/** A string; else TypeError. */
export function checkString(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalidType(name, 'a string', value);
}

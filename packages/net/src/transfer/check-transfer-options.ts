import { invalidType, invalidValue, outOfRange } from '../errors/index.ts';
import { checkSignal } from '../socket/socket.ts';
import type { DirectorySinkOptions } from './files/directory-sink.ts';
import { usableHashes } from './protocol/block-hash.ts';
import type { ReceiveOptions } from './receive-files.ts';
import type { SendOptions } from './send-files.ts';

const EXISTING: ReadonlySet<unknown> = new Set(['refuse', 'overwrite', 'append']);
const DIALLINGS: ReadonlySet<unknown> = new Set(['connect', 'listen']);

type Common = SendOptions | ReceiveOptions;

/** @throws TypeError, RangeError for a list of paths that is none, and options that are none */
export function checkSend(paths: readonly string[], options: SendOptions): void {
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) {
    throw invalidType('paths', 'an array of paths', paths);
  }
  checkCommon(options);
  checkFunction('onListening', options.onListening);
}

/** @throws TypeError, RangeError for options that are none: a quota of words would be no quota */
export function checkReceive(options: ReceiveOptions): void {
  checkCommon(options);
  checkFunction('decide', options.decide);
  checkDirectory(options);
  usableHashes(options.hashes);
  const { maxConnections = 1, once = false } = options;
  if (maxConnections !== Infinity && !(Number.isInteger(maxConnections) && maxConnections > 0)) {
    throw outOfRange('maxConnections', 'an integer above 0', maxConnections);
  }
  if (typeof once !== 'boolean') throw invalidType('once', 'true or false', once);
}

function checkDirectory(options: DirectorySinkOptions): void {
  for (const name of ['maxBytes', 'maxFileBytes', 'maxEntries'] as const) {
    checkNumber(name, options[name], 'a number from 0', (value) => value >= 0);
  }
  const { existing = 'refuse' } = options;
  if (!EXISTING.has(existing)) {
    throw invalidValue('existing', "'refuse', 'overwrite' or 'append'", existing);
  }
}

function checkCommon({ signal, dialling = 'listen', ...options }: Common): void {
  checkSignal({ signal });
  if (!DIALLINGS.has(dialling)) throw invalidValue('dialling', "'connect' or 'listen'", dialling);
  checkFunction('onEvent', options.onEvent);
  checkFunction('onEntry', options.onEntry);
  for (const name of ['idleTimeoutMs', 'frameTimeoutMs'] as const) {
    checkNumber(name, options[name], 'a number above 0', (value) => value > 0);
  }
}

function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw invalidType(name, 'a function', value);
}

function checkNumber(
  name: string,
  value: unknown,
  range: string,
  isRight: (value: number) => boolean,
): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw invalidType(name, range, value);
  if (!isRight(value)) throw outOfRange(name, range, value);
}

import { invalidType, outOfRange } from '../errors/index.ts';

let defaultTimeout: number | null = null;

/** A timeout in seconds: null or a number of at least 0; else TypeError or RangeError. */
export function checkTimeout(name: string, seconds: unknown): number | null {
  if (seconds === null) return null;
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) {
    throw invalidType(name, 'a number of seconds or null', seconds);
  }
  if (seconds < 0) throw outOfRange(name, 'at least 0', seconds);
  return seconds === Number.POSITIVE_INFINITY ? null : seconds;
}

/** The timeout of new sockets in this thread, in seconds; null (at first) waits for ever. */
export function getdefaulttimeout(): number | null {
  return defaultTimeout;
}

/**
 * Sets the timeout of sockets that are made from now on in this thread, accepted ones too.
 *
 * @param seconds at least 0; null waits for ever
 */
export function setdefaulttimeout(seconds: number | null): void {
  defaultTimeout = checkTimeout('timeout', seconds);
}

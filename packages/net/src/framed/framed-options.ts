import { invalidType, outOfRange } from '../errors/index.ts';

/** Options of `framed`. */
export interface FramedOptions<Message, Sent> {
  /**
   * How long a whole frame may take from its first byte, in milliseconds, while it is waited for.
   * Default 10,000; Infinity disables.
   */
  readonly frameTimeoutMs?: number | undefined;
  /** Bytes that may wait to leave before `send` waits too. Default the server's, else 65,536. */
  readonly highWaterMark?: number | undefined;
  /**
   * What tells which reply belongs to which request; undefined for a message that is neither.
   * Without it replies come in the order of the requests.
   */
  readonly idOf?: ((message: Message | Sent) => unknown) | undefined;
}

const HIGH_WATER_MARK = 64 * 1024;

/** The options with their defaults (safety.md 11–12). */
export interface FramedLimits {
  readonly frameTimeoutMs: number;
  readonly highWaterMark: number;
}

/** A number above 0, or its default. */
export function positive(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || Number.isNaN(value)) throw invalidType(name, 'a number', value);
  if (value <= 0) throw outOfRange(name, 'above 0', value);
  return value;
}

/** @param highWaterMark the connection's own default */
export function framedLimits(
  options: {
    readonly frameTimeoutMs?: number | undefined;
    readonly highWaterMark?: number | undefined;
  },
  highWaterMark: number = HIGH_WATER_MARK,
): FramedLimits {
  return {
    frameTimeoutMs: positive('frameTimeoutMs', options.frameTimeoutMs, 10_000),
    highWaterMark: positive('highWaterMark', options.highWaterMark, highWaterMark),
  };
}

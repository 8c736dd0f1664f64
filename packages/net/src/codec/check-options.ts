import { constants } from 'node:buffer';

/** 1 MiB. The bound of a frame in every server and tool. */
export const DEFAULT_MAX_FRAME_BYTES = 1_048_576;
/** 64 KiB, the bound of a line. */
export const DEFAULT_MAX_LINE_BYTES = 65_536;

/**
 * The option `maxFrameBytes`, checked.
 * `largest` is what one message can hold at all: a Buffer's length, or a string's where the
 * message is text (a longer one would end in V8's own error instead of ours).
 */
export function checkMaxFrameBytes(
  value: number | undefined,
  fallback: number,
  largest: number = constants.MAX_LENGTH,
): number {
  return checkBytes('maxFrameBytes', value ?? fallback, { min: 0, max: largest });
}

/** A number of bytes given as an option, checked. */
export function checkBytes(
  name: string,
  value: number,
  { min, max }: { min: number; max: number },
): number {
  if (typeof value !== 'number') {
    throw new TypeError(`Cannot create codec: ${name} is a ${typeof value}, a number is needed`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot create codec: ${name} ${value}, an integer from ${min} to ${max} is needed`,
    );
  }
  return value;
}

/** The option `final`, checked. */
export function checkFinal(final: 'keep' | 'reject'): 'keep' | 'reject' {
  if (final === 'keep' || final === 'reject') return final;
  throw new RangeError(`Cannot create codec: final ${String(final)}, 'keep' or 'reject' is needed`);
}

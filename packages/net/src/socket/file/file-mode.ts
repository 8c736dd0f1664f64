import { inspect } from 'node:util';
import { checkString } from '../../errors/index.ts';

/** Modes in which a file reads and writes bytes. */
export type BinaryFileMode = 'rb' | 'wb' | 'rwb';
/** Modes in which a file reads and writes text. */
export type TextFileMode = 'r' | 'w' | 'rw';

export interface ParsedMode {
  readonly reads: boolean;
  readonly writes: boolean;
  readonly binary: boolean;
}

/** Takes a mode apart as Python's `makefile` does: r, w and b in any order; r unless w is there. */
export function parseFileMode(mode: unknown): ParsedMode {
  const text = checkString('mode', mode);
  if (!/^[rwb]*$/.test(text)) {
    const message = `Cannot make a file: invalid mode ${inspect(text)}, expected r, w, rw, rb, wb or rwb`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  const writes = text.includes('w');
  return { reads: text.includes('r') || !writes, writes, binary: text.includes('b') };
}

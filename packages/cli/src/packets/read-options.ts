import { usageError } from '../command-error.ts';
import type { DecodeTable } from './own-layers.ts';

/** The flags of `read`, as commander gives them. */
export interface ReadFlags {
  readonly json?: boolean;
  readonly layers?: boolean;
  readonly decodeAs?: DecodeTable;
  readonly layer?: readonly string[];
  readonly follow?: boolean;
  readonly conversations?: boolean;
  readonly sequence?: string | true;
  readonly write?: string;
  readonly count?: number;
  readonly quiet?: boolean;
}

/** What the command line says, file and filter told apart. */
export interface ReadArguments {
  readonly file: string;
  readonly filter: string;
  readonly svg: string | undefined;
}

/**
 * Tells file, filter and picture apart. `--sequence` may have a value, which commander takes to be
 * the next word whatever it is: only one that ends in `.svg` is.
 *
 * @param words what commander took for arguments
 * @param typed the whole command line
 */
export function readArguments(
  words: readonly string[],
  sequence: string | true | undefined,
  typed: readonly string[],
): ReadArguments {
  const isPicture = typeof sequence === 'string' && sequence.endsWith('.svg');
  const all = [...words];
  if (typeof sequence === 'string' && !isPicture) {
    const optionAt = typed.lastIndexOf('--sequence');
    const before = words.filter((word) => typed.indexOf(word) < optionAt && optionAt >= 0).length;
    // `read` itself stands before all of them and is no argument.
    all.splice(before, 0, sequence);
  }
  const [file, ...filter] = all;
  if (file === undefined) throw usageError('no file given; sockeye read --help shows examples');
  return { file, filter: filter.join(' '), svg: isPicture ? sequence : undefined };
}

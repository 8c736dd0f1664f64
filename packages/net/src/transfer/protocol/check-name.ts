import { MAX_DEPTH, MAX_NAME_BYTES } from './limits.ts';

/** C0, DEL and C1. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Unicode's Bidi_Control, and the line and paragraph separators, which end a line of a log. */
const BIDI = /[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * What is wrong with a name from a peer; undefined for a good one (safety.md 14). A name is
 * refused, never repaired: two peers that repair differently disagree about what was sent.
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name === '.' || name === '..') return `it is ${name}`;
  if (name.startsWith('-')) return 'it starts with -';
  if (/[/\\]/.test(name)) return 'it has a / or \\';
  if (CONTROL.test(name)) return 'it has a control character';
  if (BIDI.test(name)) return 'it has a character that turns the direction of text';
  if (LONE_SURROGATE.test(name)) return 'it is not Unicode';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
  if (name.normalize('NFC') !== name) return 'it is not in normalisation form C';
  return undefined;
}

/** What is wrong with a list of names; undefined for a good one. */
export function pathFault(path: readonly string[]): string | undefined {
  if (path.length === 0) return 'it has no name';
  if (path.length > MAX_DEPTH) return `it is ${path.length} deep, the limit is ${MAX_DEPTH}`;
  for (const name of path) {
    const fault = nameFault(name);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

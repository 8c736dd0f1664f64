import { formatCount } from '../bench/format-quantity.ts';

/** How many files and directories an offer has, in words. */
export function entriesText(entries: number): string {
  return entries === 1 ? '1 file or directory' : `${formatCount(entries)} files and directories`;
}

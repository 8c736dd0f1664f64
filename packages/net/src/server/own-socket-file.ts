import { lstatSync, unlinkSync } from 'node:fs';
import type { Address } from '../address/index.ts';

/**
 * What removes the file of a Unix socket just bound, unless it is another's by then; nothing for
 * other addresses, and for names in the abstract namespace.
 */
export function ownSocketFile(address: Address | null): () => void {
  const path = pathOf(address);
  if (path === undefined) return () => undefined;
  const own = identity(path);
  return () => {
    if (own === undefined || identity(path) !== own) return;
    try {
      unlinkSync(path);
    } catch {
      // Somebody removed it meanwhile, or its directory no longer lets us.
    }
  };
}

/** Tells one file from another; undefined where there is none to be seen. */
function identity(path: Buffer): string | undefined {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function pathOf(address: Address | null): Buffer | undefined {
  if (address === null || !('path' in address)) return undefined;
  const path = Buffer.from(address.path as string);
  return path.length === 0 || path[0] === 0 ? undefined : path;
}

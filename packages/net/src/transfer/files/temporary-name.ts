import { createHash } from 'node:crypto';
import type { Entry } from '../protocol/message.ts';

const PATTERN = /^\.sockeye-[0-9a-f]{32}\.part$/;

/**
 * The name under which a file grows. It follows from what the sender says of the source, so that
 * the next run finds what this one left, and not what belongs to another state of the source.
 */
export function temporaryName(entry: Entry): string {
  const { path, size, mtimeSeconds, mtimeNanoseconds } = entry;
  const identity = JSON.stringify([path, size, mtimeSeconds, mtimeNanoseconds]);
  return `.sockeye-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}.part`;
}

/** Whether a name is one of ours, which no peer may use. */
export function isTemporaryName(name: string): boolean {
  return PATTERN.test(name);
}

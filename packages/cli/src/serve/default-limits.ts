import { readFileSync } from 'node:fs';
import type { Limits } from './serve-options.ts';

const MAX_CONNECTIONS = 10_000;
// POSIX's least (_POSIX_OPEN_MAX is 20, but every system in use gives 256 or more).
const UNKNOWN_DESCRIPTOR_LIMIT = 256;

/** The bounds that hold unless the command is told otherwise (docs: safety, "Bounds"). */
export function defaultLimits(): Limits {
  return {
    maxConnections: Math.min(MAX_CONNECTIONS, Math.floor(descriptorLimit() / 2)),
    firstByteTimeoutMs: 10_000,
    idleTimeoutMs: 60_000,
    writeTimeoutMs: 30_000,
    drainTimeoutMs: 5000,
  };
}

/** RLIMIT_NOFILE, which Node raises to its hard limit when it starts. Source: proc(5). */
function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return UNKNOWN_DESCRIPTOR_LIMIT;
  }
}

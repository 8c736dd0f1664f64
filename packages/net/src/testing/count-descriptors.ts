import { readdirSync, readlinkSync } from 'node:fs';

/**
 * How many descriptors the process has open of those whose target starts with one of `kinds`, such
 * as 'socket:' and 'anon_inode:[eventpoll]'. Linux only.
 */
export function countDescriptors(...kinds: string[]): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return kinds.some((kind) => target.startsWith(kind));
    } catch {
      // The directory's own descriptor, which is closed by now.
      return false;
    }
  }).length;
}

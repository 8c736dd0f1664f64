import { native } from '@sockeye/native';

/** How many descriptors this process may have open: the soft limit. Source: getrlimit(2). */
export function descriptorLimit(): number {
  const limit = native.descriptorLimit();
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}

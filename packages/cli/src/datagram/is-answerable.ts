import type { Address } from '@sockeye/net';

/** Whether a sender can be answered: a Unix socket without a name can't, unix(7). */
export function isAnswerable(from: Address | null): from is Address {
  return from !== null && !('path' in from && from.path.length === 0);
}

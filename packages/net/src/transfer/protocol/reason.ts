/** Why a side says no. The numbers are the protocol's; a number never gets another meaning. */
export const REASONS = {
  protocol: 1,
  version: 2,
  declined: 3,
  name: 4,
  exists: 5,
  quota: 6,
  'source-changed': 7,
  'source-failed': 8,
  'target-failed': 9,
  integrity: 10,
  busy: 11,
  unsupported: 12,
  cancelled: 13,
} as const;

/** The name of a reason in events, errors and receipts. */
export type Reason = keyof typeof REASONS;

const byNumber = new Map<number, Reason>(
  Object.entries(REASONS).map(([name, number]) => [number, name as Reason]),
);

/** The reason with this number; one that a later version added counts as `protocol`. */
export function reasonOf(number: number): Reason {
  return byNumber.get(number) ?? 'protocol';
}

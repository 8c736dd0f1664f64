/**
 * The one's complement sum of RFC 1071 over `bytes[start, end)`, folded to 16 bits and not
 * inverted; an odd last byte counts as the high half of a word. `initial` carries a pseudo-header.
 *
 * A header or segment with its checksum in place sums to 0xffff.
 *
 * @example
 * ```ts
 * assert.equal(internetSum(Uint8Array.of(0x12, 0x34, 0xed, 0xcb), 0, 4), 0xffff);
 * ```
 */
export function internetSum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  let at = start;
  // 2^37 16-bit words fit in a double's integers; four bytes a turn measured 1.6 times two.
  const last4 = end - 3;
  for (; at < last4; at += 4) {
    sum +=
      (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) +
      (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }
  for (; at + 1 < end; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (at < end) sum += (bytes[at] as number) << 8;
  return foldSum(sum);
}

/** Adds the carries back until 16 bits are left. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

/** The checksum to write into a zeroed field: the inverted sum. */
export function internetChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  initial = 0,
): number {
  return ~internetSum(bytes, start, end, initial) & 0xffff;
}

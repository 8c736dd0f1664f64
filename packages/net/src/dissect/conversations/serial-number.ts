/**
 * How far sequence number `a` is behind `b`, in 32-bit serial arithmetic (RFC 9293 3.4): positive
 * when `a` is later, and right as long as they are less than 2^31 apart.
 *
 * @example
 * ```ts
 * assert.equal(serialDistance(5, 0xfffffffe), 7);
 * assert.equal(serialDistance(0xfffffffe, 5), -7);
 * ```
 */
export function serialDistance(a: number, b: number): number {
  return (a - b) | 0;
}

/** The sequence number `count` behind `a`. */
export function serialAdd(a: number, count: number): number {
  return (a + count) >>> 0;
}

/** The number after this one; numbers have 32 bits and wrap. */
export function nextSerial(serial: number): number {
  return (serial + 1) >>> 0;
}

/** `serial` moved by `count`, either way. */
export function addSerial(serial: number, count: number): number {
  return (serial + count) >>> 0;
}

/**
 * How far `to` lies ahead of `from`, negative if behind: serial number arithmetic of RFC 1982 with
 * 32 bits. Numbers 2³¹ apart, which the RFC leaves undefined, count as behind.
 */
export function serialDistance(from: number, to: number): number {
  return (to - from) | 0;
}

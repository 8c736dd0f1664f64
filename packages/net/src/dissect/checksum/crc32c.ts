// Reflected polynomial of CRC-32C (Castagnoli), RFC 9260 appendix A.
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let remainder = index;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
  }
  return remainder;
});

function update(crc: number, byte: number): number {
  return (table[(crc ^ byte) & 0xff]! ^ (crc >>> 8)) >>> 0;
}

/**
 * CRC-32C of `bytes[start, end)` with the four bytes at `zeroAt` taken as zeros, which is how SCTP
 * sums its own header; pass -1 for none.
 *
 * @example
 * ```ts
 * assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa);
 * ```
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, zeroAt = -1): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) {
    const hole = zeroAt >= 0 && at >= zeroAt && at < zeroAt + 4;
    crc = update(crc, hole ? 0 : bytes[at]!);
  }
  return ~crc >>> 0;
}

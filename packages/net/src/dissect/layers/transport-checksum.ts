import { foldSum, internetSum } from '../checksum/internet-checksum.ts';
import type { PacketReader } from '../packet-reader.ts';

/** `unverified`: bytes are missing (fragment, cut capture, packet quoted in part), or the sending host left the sum to its network card. */
export type ChecksumStatus = 'good' | 'bad' | 'unverified' | 'not present';

/**
 * Verifies a checksum over the pseudo-header and `bytes[start, start + length)`.
 *
 * A packet captured on the host that sends it often holds only the sum of the pseudo-header, not
 * inverted (CHECKSUM_PARTIAL, linux/skbuff.h): the card computes the rest. That is `unverified`,
 * not `bad`; with segmentation offload the length may be left out of it.
 */
export function transportChecksum(
  packet: PacketReader,
  protocol: number,
  start: number,
  length: number,
  checksum: number,
): ChecksumStatus {
  if (packet.pseudoSum < 0 || packet.isFragment || !packet.isWhole) {
    return 'unverified';
  }
  if (length > packet.end - start) return 'unverified';
  const pseudo = packet.pseudoSum + protocol;
  const sum = internetSum(packet.bytes, start, start + length, pseudo + foldSum(length));
  if (sum === 0xffff) return 'good';
  const isPartial = checksum === foldSum(pseudo + foldSum(length)) || checksum === foldSum(pseudo);
  return isPartial ? 'unverified' : 'bad';
}

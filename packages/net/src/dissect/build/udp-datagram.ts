import { internetChecksum } from '../checksum/internet-checksum.ts';
import { ipProtocol } from '../layers/ip-protocol.ts';
import { ByteWriter } from './byte-writer.ts';
import { pseudoHeaderSum, type SegmentPath } from './pseudo-header-sum.ts';

/** A UDP datagram. */
export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/**
 * Builds a UDP datagram with a valid checksum; a sum of 0 is sent as 0xffff (RFC 768).
 *
 * @throws RangeError when an address is none
 *
 * @example
 * ```ts
 * const path = { source: '::1', destination: '::1' };
 * const payload = Uint8Array.of(1, 2, 3);
 * assert.equal(udpDatagram(path, { sourcePort: 9, destinationPort: 53, payload }).length, 11);
 * ```
 */
export function udpDatagram(path: SegmentPath, datagram: UdpDatagram): Uint8Array {
  const length = datagram.payload.length + 8;
  const bytes = new ByteWriter()
    .u16(datagram.sourcePort)
    .u16(datagram.destinationPort)
    .u16(length)
    .u16(0)
    .bytes(datagram.payload)
    .finish();
  const sum = pseudoHeaderSum(path, ipProtocol.udp, length);
  const checksum = internetChecksum(bytes, 0, length, sum) || 0xffff;
  new DataView(bytes.buffer).setUint16(6, checksum);
  return bytes;
}

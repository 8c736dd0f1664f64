import { internetChecksum } from '../checksum/internet-checksum.ts';
import { ipProtocol } from '../layers/ip-protocol.ts';
import { ByteWriter } from './byte-writer.ts';
import { pseudoHeaderSum, type SegmentPath } from './pseudo-header-sum.ts';

/** A TCP segment; numbers as they are on the wire. */
export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** Default 0. */
  readonly acknowledgment?: number;
  /** `tcpFlag` bits. */
  readonly flags: number;
  /** Unscaled; default 65535. */
  readonly window?: number;
  readonly urgentPointer?: number;
  /** Options with their kinds and lengths; padded with End of Option List to 32 bits. */
  readonly options?: ArrayLike<number>;
  readonly payload?: Uint8Array;
}

/**
 * Builds a TCP segment with a valid checksum.
 *
 * @throws RangeError when the options exceed 40 bytes or an address is none
 *
 * @example
 * ```ts
 * const path = { source: '127.0.0.1', destination: '127.0.0.1' };
 * const syn = tcpSegment(path, { sourcePort: 1, destinationPort: 2, sequence: 7, flags: 0x02 });
 * assert.equal(syn.length, 20);
 * ```
 */
export function tcpSegment(path: SegmentPath, segment: TcpSegment): Uint8Array {
  const { options = [], payload = new Uint8Array(0) } = segment;
  const optionsLength = (options.length + 3) & ~3;
  if (optionsLength > 40) {
    throw new RangeError(`Cannot build TCP segment: options of ${options.length} bytes exceed 40`);
  }
  const writer = new ByteWriter()
    .u16(segment.sourcePort)
    .u16(segment.destinationPort)
    .u32(segment.sequence)
    .u32(segment.acknowledgment ?? 0)
    .u16(((5 + optionsLength / 4) << 12) | segment.flags)
    .u16(segment.window ?? 65535)
    .u16(0)
    .u16(segment.urgentPointer ?? 0)
    .bytes(options)
    .zeros(optionsLength - options.length)
    .bytes(payload);
  const bytes = writer.finish();
  const sum = pseudoHeaderSum(path, ipProtocol.tcp, bytes.length);
  new DataView(bytes.buffer).setUint16(16, internetChecksum(bytes, 0, bytes.length, sum));
  return bytes;
}

import { internetSum } from '../checksum/internet-checksum.ts';
import { ipAddressBytes, type IpAddressLike } from './ip-address-bytes.ts';

/** Where a transport segment goes: what its checksum covers besides itself. */
export interface SegmentPath {
  readonly source: IpAddressLike;
  readonly destination: IpAddressLike;
}

/** Sum of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1); the same arithmetic for both IPs. */
export function pseudoHeaderSum(path: SegmentPath, protocol: number, length: number): number {
  const source = ipAddressBytes(path.source);
  const destination = ipAddressBytes(path.destination);
  const sum = internetSum(source, 0, source.length, protocol + (length >>> 16) + (length & 0xffff));
  return internetSum(destination, 0, destination.length, sum);
}

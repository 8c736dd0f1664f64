import { parseIpAddress } from '../text/parse-address.ts';

/** An address as text or as its 4 or 16 bytes. */
export type IpAddressLike = string | Uint8Array;

/**
 * The bytes of an address.
 *
 * @throws RangeError when the text is no IP address
 */
export function ipAddressBytes(address: IpAddressLike): Uint8Array {
  const bytes = typeof address === 'string' ? parseIpAddress(address) : address;
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16)) {
    throw new RangeError(`Cannot build packet: not an IP address: ${String(address)}`);
  }
  return bytes;
}

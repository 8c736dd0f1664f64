import { AF_INET, AF_INET6, EAFNOSUPPORT, EINVAL } from '../constants/index.ts';
import { checkBytes, checkInteger, checkString, outOfRange, SocketError } from '../errors/index.ts';
import { formatIpv4, parseIpv4 } from './ipv4-text.ts';
import { formatIpv6, parseIpv6 } from './ipv6-text.ts';
import { parseLegacyIpv4 } from './legacy-ipv4-text.ts';
import { read32, write32 } from './sockaddr.ts';

function ipv4Bytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  write32(bytes, 0, value);
  return bytes;
}

function noAddress(syscall: string, text: string, form: string): SocketError {
  return new SocketError(syscall, EINVAL, {
    reason: `${JSON.stringify(text)} is no ${form} address`,
  });
}

function checkLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw outOfRange('bytes', `${length} bytes long`, bytes.length);
}

/**
 * Turns the text of an address into its bytes, in network order.
 *
 * @param family - AF_INET or AF_INET6
 * @param text - a dotted quad, or RFC 4291, section 2.2, without a zone
 * @returns 4 or 16 bytes
 * @throws TypeError for an argument of the wrong type
 * @throws SocketError EAFNOSUPPORT for another family, EINVAL for a text that is no such address
 * Source: inet_pton(3).
 *
 * @example
 * assert.deepEqual([...inetPton(AF_INET, '127.0.0.1')], [127, 0, 0, 1]);
 */
export function inetPton(family: number, text: string): Buffer {
  checkInteger('family', family, 0, 0x7fffffff);
  checkString('text', text);
  if (family === AF_INET) {
    const value = parseIpv4(text);
    if (value < 0) throw noAddress('inet_pton', text, 'IPv4');
    return ipv4Bytes(value);
  }
  if (family !== AF_INET6) throw new SocketError('inet_pton', EAFNOSUPPORT);
  const bytes = Buffer.alloc(16);
  if (!parseIpv6(text, bytes, 0)) throw noAddress('inet_pton', text, 'IPv6');
  return bytes;
}

/**
 * Turns the bytes of an address, in network order, into its text.
 *
 * @param family - AF_INET or AF_INET6
 * @param bytes - 4 or 16 bytes
 * @returns a dotted quad, or the form of RFC 5952
 * @throws TypeError for an argument of the wrong type
 * @throws RangeError for another number of bytes
 * @throws SocketError EAFNOSUPPORT for another family
 * Source: inet_ntop(3).
 *
 * @example
 * assert.equal(inetNtop(AF_INET6, inetPton(AF_INET6, '0:0:0:0:0:0:0:1')), '::1');
 */
export function inetNtop(family: number, bytes: Uint8Array): string {
  checkInteger('family', family, 0, 0x7fffffff);
  checkBytes('bytes', bytes);
  if (family !== AF_INET && family !== AF_INET6) throw new SocketError('inet_ntop', EAFNOSUPPORT);
  checkLength(bytes, family === AF_INET ? 4 : 16);
  return family === AF_INET ? formatIpv4(read32(bytes, 0)) : formatIpv6(bytes, 0);
}

/**
 * Turns the text of an IPv4 address into its bytes, older forms included.
 *
 * @param text - one to four numbers joined by dots, decimal, octal (`0177`) or hexadecimal (`0x7f`);
 * the last fills the bytes that are left. What follows white space is ignored, as glibc does.
 * @returns 4 bytes, in network order
 * @throws TypeError for what is no string
 * @throws SocketError EINVAL for a text that is no such address
 * Source: inet_aton(3).
 *
 * @example
 * assert.deepEqual([...inetAton('127.1')], [127, 0, 0, 1]);
 */
export function inetAton(text: string): Buffer {
  const value = parseLegacyIpv4(checkString('text', text));
  if (value === undefined) throw noAddress('inet_aton', text, 'IPv4');
  return ipv4Bytes(value);
}

/**
 * Turns 4 bytes in network order into a dotted quad.
 *
 * @throws TypeError for what is no Uint8Array
 * @throws RangeError for another number of bytes
 * Source: inet_ntoa(3).
 *
 * @example
 * assert.equal(inetNtoa(Uint8Array.of(127, 0, 0, 1)), '127.0.0.1');
 */
export function inetNtoa(bytes: Uint8Array): string {
  checkLength(checkBytes('bytes', bytes), 4);
  return formatIpv4(read32(bytes, 0));
}

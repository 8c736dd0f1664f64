import { checkInteger } from '../errors/index.ts';
import { isLittleEndian } from './sockaddr.ts';

function swap16(value: number): number {
  return isLittleEndian ? ((value & 0xff) << 8) | (value >>> 8) : value;
}

function swap32(value: number): number {
  if (!isLittleEndian) return value;
  return ((swap16(value & 0xffff) << 16) | swap16(value >>> 16)) >>> 0;
}

/**
 * Turns 16 bits from host into network byte order.
 *
 * @param value - 0…65535
 * @throws TypeError for what is no integer
 * @throws RangeError for an integer that needs more bits
 * Source: byteorder(3).
 *
 * @example
 * assert.equal(ntohs(htons(80)), 80);
 */
export function htons(value: number): number {
  return swap16(checkInteger('value', value, 0, 0xffff));
}

/**
 * Turns 16 bits from network into host byte order.
 *
 * @param value - 0…65535
 * @throws TypeError for what is no integer
 * @throws RangeError for an integer that needs more bits
 * Source: byteorder(3).
 *
 * @example
 * assert.equal(ntohs(htons(0xff00)), 0xff00);
 */
export function ntohs(value: number): number {
  return swap16(checkInteger('value', value, 0, 0xffff));
}

/**
 * Turns 32 bits from host into network byte order.
 *
 * @param value - 0…4294967295
 * @returns an unsigned number
 * @throws TypeError for what is no integer
 * @throws RangeError for an integer that needs more bits
 * Source: byteorder(3).
 *
 * @example
 * assert.equal(ntohl(htonl(INADDR_LOOPBACK)), INADDR_LOOPBACK);
 */
export function htonl(value: number): number {
  return swap32(checkInteger('value', value, 0, 0xffffffff));
}

/**
 * Turns 32 bits from network into host byte order.
 *
 * @param value - 0…4294967295
 * @returns an unsigned number
 * @throws TypeError for what is no integer
 * @throws RangeError for an integer that needs more bits
 * Source: byteorder(3).
 *
 * @example
 * assert.equal(ntohl(htonl(0xff000000)), 0xff000000);
 */
export function ntohl(value: number): number {
  return swap32(checkInteger('value', value, 0, 0xffffffff));
}

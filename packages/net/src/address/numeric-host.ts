import { AF_INET, AF_INET6, AF_RDS } from '../constants/index.ts';
import { outOfRange } from '../errors/index.ts';
import { parseIpv4 } from './ipv4-text.ts';
import { parseIpv6 } from './ipv6-text.ts';

// Most addresses are of the host before: comparing texts took 2 ns, reading one 40.
let lastHost = '0.0.0.0';
let lastValue = 0;

/** The number of an IPv4 host as an address may have it, or -1 if it must be resolved first. */
export function parseInetHost(host: string): number {
  if (host === lastHost) return lastValue;
  const value = parseIpv4(host);
  if (value >= 0) {
    lastHost = host;
    lastValue = value;
    return value;
  }
  if (host === '') return 0;
  return host === '<broadcast>' ? 0xffffffff : -1;
}

/** Where the zone's `%` is, or the end if there is none. */
export function endOfIpv6(host: string): number {
  const percent = host.indexOf('%');
  return percent < 0 ? host.length : percent;
}

/** Writes the 16 bytes of an IPv6 host, zone or not; false if it must be resolved first. */
export function parseInet6Host(host: string, target: Uint8Array, offset: number): boolean {
  if (host !== '') return parseIpv6(host, target, offset, endOfIpv6(host));
  target.fill(0, offset, offset + 16);
  return true;
}

const scratch = new Uint8Array(16);

/**
 * Tells whether a host can be used in an address of this family as it is, without a resolver.
 *
 * True for `''`, for `'<broadcast>'` with `AF_INET`, and for an address in the form that
 * inet_pton(3) takes; an IPv6 address may carry a zone (`fe80::1%eth0`). The older forms of
 * inet_aton(3), such as `127.1`, are names here: getaddrinfo(3) knows them.
 *
 * @example
 * assert.equal(isNumericHost(AF_INET, '127.0.0.1'), true);
 * assert.equal(isNumericHost(AF_INET, 'localhost'), false);
 */
export function isNumericHost(family: number, host: string): boolean {
  if (family === AF_INET6) return parseInet6Host(host, scratch, 0);
  return (family === AF_INET || family === AF_RDS) && parseInetHost(host) >= 0;
}

/** The error for a host that needed a resolver and had none. */
export function notNumeric(host: string, family: string): RangeError {
  return outOfRange('host', `a numeric ${family} address`, host);
}

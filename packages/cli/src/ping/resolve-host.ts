import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { AF_INET, AF_INET6, inetNtop, inetPton } from '@sockeye/net';
import { quote } from '../address/address-syntax-error.ts';
import { CommandError, usageError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';

/** A host to ping. */
export interface PingTarget {
  /** As it was typed. */
  readonly name: string;
  readonly address: string;
  readonly version: 4 | 6;
}

/**
 * Finds the address of a host, of the version that was asked for if any.
 *
 * @throws CommandError for a name that nobody knows, or a wrong one
 */
export async function resolveHost(name: string, version?: 4 | 6): Promise<PingTarget> {
  const host = name.replace(/^\[(.*)\]$/, '$1');
  const literal = isIP(host);
  if (literal === 4 || literal === 6) {
    if (version === undefined || version === literal) {
      return { name: host, address: canonical(host, literal), version: literal };
    }
    throw usageError(
      `cannot ping ${quote(host)}: it is an IPv${literal} address, with -${version}`,
    );
  }
  if (!/^[\p{L}\p{M}\p{N}._-]+$/u.test(host)) {
    throw usageError(`cannot ping ${quote(name)}: expected a host name or an address, no port`);
  }
  return await lookUp(host, version);
}

/** As the kernel's addresses are written, so that they compare. */
function canonical(host: string, version: 4 | 6): string {
  const [address = '', zone] = host.split('%');
  const family = version === 4 ? AF_INET : AF_INET6;
  const text = inetNtop(family, inetPton(family, address));
  return zone === undefined ? text : `${text}%${zone}`;
}

async function lookUp(name: string, version?: 4 | 6): Promise<PingTarget> {
  try {
    const { address, family } = await lookup(domainToASCII(name) || name, {
      family: version ?? 0,
      verbatim: true,
    });
    return { name, address, version: family === 6 ? 6 : 4 };
  } catch (error) {
    // node:dns calls getaddrinfo's EAI_NONAME and EAI_NODATA so (dns.NOTFOUND, dns.NODATA).
    const isUnknown = ['ENOTFOUND', 'ENODATA'].includes(errorCode(error));
    const code = isUnknown ? 'EAI_NONAME' : errorCode(error);
    const reason = isUnknown ? 'no such host' : 'the host cannot be looked up';
    throw new CommandError(`cannot ping ${quote(name)}: ${reason} (${code})`, 1, { cause: error });
  }
}

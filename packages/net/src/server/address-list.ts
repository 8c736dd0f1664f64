import { BlockList, isIP } from 'node:net';
import type { Address } from '../address/index.ts';
import { invalidType, invalidValue } from '../errors/index.ts';

const MAPPED = '::ffff:';

/** The host of an address; an IPv4 peer of a dual-stack listener under its IPv4 name. */
export function hostOf(address: Address | null): string | undefined {
  const { host } = (address ?? {}) as { host?: string };
  return host?.startsWith(MAPPED) && host.includes('.') ? host.slice(MAPPED.length) : host;
}

/**
 * Addresses and networks, such as `192.0.2.1`, `10.0.0.0/8`, `fe80::/10`: what a server's `allow`,
 * `deny` and `proxyProtocol.trusted` are.
 *
 * @throws TypeError for an entry that is neither, by the name of what it was given for
 *
 * @example
 * const networks = new AddressList(['10.0.0.0/8', '::1']);
 * assert.ok(networks.has({ host: '10.1.2.3', port: 80 }));
 * assert.ok(networks.has({ host: '::ffff:10.1.2.3', port: 80, flowinfo: 0, scopeId: 0 }));
 * assert.ok(!networks.has({ path: '/run/peer' }));
 */
export class AddressList {
  #list = new BlockList();

  constructor(entries: readonly string[], name = 'entries') {
    if (!isList(entries)) throw invalidType(name, 'a list of strings', entries);
    for (const entry of entries) this.#add(name, entry);
  }

  #add(name: string, entry: string): void {
    const [address = '', prefix, ...rest] = entry.split('/');
    const version = isIP(address);
    if (version === 0 || rest.length > 0) {
      throw invalidValue(name, 'addresses or networks such as 10.0.0.0/8', entry);
    }
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) this.#list.addAddress(address, family);
    else this.#list.addSubnet(address, checkPrefix(name, prefix, version), family);
  }

  /** Whether the address is in the list, its port aside. A Unix peer has no host and is in none. */
  has(address: Address | null): boolean {
    const host = hostOf(address);
    return host !== undefined && this.#list.check(host, host.includes(':') ? 'ipv6' : 'ipv4');
  }
}

function isList(entries: unknown): boolean {
  return Array.isArray(entries) && entries.every((entry) => typeof entry === 'string');
}

function checkPrefix(name: string, prefix: string, version: number): number {
  const bits = version === 4 ? 32 : 128;
  if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) return Number(prefix);
  throw invalidValue(name, `a prefix length of 0 to ${bits}`, prefix);
}

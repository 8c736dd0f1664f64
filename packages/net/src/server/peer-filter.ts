import { BlockList, isIP } from 'node:net';
import type { Address } from '../address/index.ts';
import { invalidValue } from '../errors/index.ts';

const MAPPED = '::ffff:';

/** A list of addresses and networks, such as `192.0.2.1`, `10.0.0.0/8`, `fe80::/10`. */
export function addressList(name: string, entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const version = isIP(address);
    if (version === 0) throw invalidValue(name, 'addresses or networks such as 10.0.0.0/8', entry);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, checkPrefix(name, prefix, version), family);
  }
  return list;
}

function checkPrefix(name: string, prefix: string, version: number): number {
  const bits = version === 4 ? 32 : 128;
  if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) return Number(prefix);
  throw invalidValue(name, `a prefix length of 0 to ${bits}`, prefix);
}

/** The host of an address; an IPv4 peer of a dual-stack listener under its IPv4 name. */
export function hostOf(address: Address | null): string | undefined {
  const { host } = (address ?? {}) as { host?: string };
  return host?.startsWith(MAPPED) && host.includes('.') ? host.slice(MAPPED.length) : host;
}

/** Whether a list has the host. A Unix peer has none and is in no list. */
export function listHas(list: BlockList, host: string | undefined): boolean {
  if (host === undefined) return false;
  return list.check(host, host.includes(':') ? 'ipv6' : 'ipv4');
}

/** Why a peer is turned away. */
export type Refusal = 'denied' | 'not allowed' | 'too many from this address';

/** Decides who may connect, and counts who is connected. */
export class PeerFilter {
  #allow: BlockList | undefined;
  #deny: BlockList | undefined;
  #perAddress: number;
  #open = new Map<string, number>();

  constructor(
    allow: readonly string[] | undefined,
    deny: readonly string[] | undefined,
    perAddress: number,
  ) {
    this.#allow = allow === undefined ? undefined : addressList('allow', allow);
    this.#deny = deny === undefined ? undefined : addressList('deny', deny);
    this.#perAddress = perAddress;
  }

  /** Counts a peer in, or says why not. */
  enter(address: Address | null): Refusal | undefined {
    const host = hostOf(address);
    if (host === undefined) return undefined;
    if (this.#deny !== undefined && listHas(this.#deny, host)) return 'denied';
    if (this.#allow !== undefined && !listHas(this.#allow, host)) return 'not allowed';
    if (this.#perAddress === Number.POSITIVE_INFINITY) return undefined;
    const open = this.#open.get(host) ?? 0;
    if (open >= this.#perAddress) return 'too many from this address';
    this.#open.set(host, open + 1);
    return undefined;
  }

  /** Counts a peer out that `enter` let in. */
  leave(address: Address | null): void {
    const host = hostOf(address);
    if (host === undefined || this.#perAddress === Number.POSITIVE_INFINITY) return;
    const open = (this.#open.get(host) ?? 1) - 1;
    if (open === 0) this.#open.delete(host);
    else this.#open.set(host, open);
  }
}

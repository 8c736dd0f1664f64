import type { Address } from '../address/index.ts';
import { AddressList, hostOf } from './address-list.ts';

/** Why a peer is turned away. */
export type Refusal = 'denied' | 'not allowed' | 'too many from this address';

/** Decides who may connect, and counts who is connected. */
export class PeerFilter {
  #allow: AddressList | undefined;
  #deny: AddressList | undefined;
  #perAddress: number;
  #open = new Map<string, number>();

  constructor(
    allow: readonly string[] | undefined,
    deny: readonly string[] | undefined,
    perAddress: number,
  ) {
    this.#allow = allow === undefined ? undefined : new AddressList(allow, 'allow');
    this.#deny = deny === undefined ? undefined : new AddressList(deny, 'deny');
    this.#perAddress = perAddress;
  }

  /** Counts a peer in, or says why not. */
  enter(address: Address | null): Refusal | undefined {
    const host = hostOf(address);
    if (host === undefined) return undefined;
    if (this.#deny?.has(address)) return 'denied';
    if (this.#allow !== undefined && !this.#allow.has(address)) return 'not allowed';
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

import { linkType } from '../layers/link-type.ts';

/** Where a link type keeps the protocol and where the network header begins. */
export interface LinkLayout {
  /** Offset of the 16-bit EtherType, -1 when the first four bits of the payload tell. */
  readonly typeAt: number;
  readonly payloadAt: number;
  /** It has the Ethernet addresses at 0 and 6, and VLAN tags. */
  readonly isEthernet: boolean;
}

const layouts: ReadonlyMap<number, LinkLayout> = new Map([
  [linkType.ethernet, { typeAt: 12, payloadAt: 14, isEthernet: true }],
  [linkType.linuxSll, { typeAt: 14, payloadAt: 16, isEthernet: false }],
  [linkType.linuxSll2, { typeAt: 0, payloadAt: 20, isEthernet: false }],
  [linkType.raw, { typeAt: -1, payloadAt: 0, isEthernet: false }],
]);

/**
 * The layout of a link type.
 *
 * @throws RangeError when filters can't be compiled for it
 */
export function linkLayout(type: number): LinkLayout {
  const layout = layouts.get(type);
  if (layout === undefined) {
    const known = [...layouts.keys()].join(', ');
    throw new RangeError(`Cannot compile filter: link type ${type}, supported are ${known}`);
  }
  return layout;
}

import { etherType } from '../layers/ether-type.ts';
import { parseMacAddress } from '../text/parse-address.ts';
import { ByteWriter } from './byte-writer.ts';

const noMac = '00:00:00:00:00:00';

/** An Ethernet header; addresses default to zeros, as on the loopback interface. */
export interface EthernetFrame {
  readonly source?: string;
  readonly destination?: string;
  /** EtherType of the payload; default by the IP version in its first bits. */
  readonly type?: number;
  /** VLAN tags from the outermost inwards: priority, drop eligibility and identifier as the 16 bits they are. */
  readonly vlans?: readonly { readonly type?: number; readonly tag: number }[];
}

/**
 * Puts a packet into an Ethernet frame, without padding or frame check sequence.
 *
 * @throws RangeError when an address is none
 *
 * @example
 * ```ts
 * const frame = ethernetFrame(Uint8Array.of(0x45), { destination: 'ff:ff:ff:ff:ff:ff' });
 * assert.deepEqual([frame.length, frame[0], frame[12]], [15, 0xff, 0x08]);
 * ```
 */
export function ethernetFrame(payload: Uint8Array, frame: EthernetFrame = {}): Uint8Array {
  const writer = new ByteWriter()
    .bytes(macBytes(frame.destination ?? noMac))
    .bytes(macBytes(frame.source ?? noMac));
  for (const { type = etherType.vlan, tag } of frame.vlans ?? []) writer.u16(type).u16(tag);
  return writer
    .u16(frame.type ?? ipEtherType(payload))
    .bytes(payload)
    .finish();
}

/** packet(7): what the cooked header says about the direction. */
export const packetType = { host: 0, broadcast: 1, multicast: 2, otherHost: 3, outgoing: 4 } as const;

/**
 * Puts a packet behind a Linux cooked header (LINKTYPE_LINUX_SLL), the form for synthesised
 * packets: it needs no addresses. `packetType` defaults to `packetType.host`, `type` to the
 * EtherType of the IP version in the payload's first bits.
 *
 * @example
 * ```ts
 * const frame = linuxSllFrame(Uint8Array.of(0x60), { packetType: packetType.outgoing });
 * assert.deepEqual([frame.length, frame[1], frame[14]], [17, 4, 0x86]);
 * ```
 */
export function linuxSllFrame(
  payload: Uint8Array,
  frame: { readonly packetType?: number; readonly type?: number } = {},
): Uint8Array {
  return new ByteWriter()
    .u16(frame.packetType ?? packetType.host)
    .u16(772) // ARPHRD_LOOPBACK, linux/if_arp.h
    .u16(6)
    .zeros(8)
    .u16(frame.type ?? ipEtherType(payload))
    .bytes(payload)
    .finish();
}

/**
 * Puts a packet behind a Linux cooked header of version 2 (LINKTYPE_LINUX_SLL2), which also names
 * the interface by its number, default 1.
 *
 * @example
 * ```ts
 * const frame = linuxSll2Frame(Uint8Array.of(0x45), { interface: 3 });
 * assert.deepEqual([frame.length, frame[0], frame[7]], [21, 0x08, 3]);
 * ```
 */
export function linuxSll2Frame(
  payload: Uint8Array,
  frame: { readonly packetType?: number; readonly type?: number; readonly interface?: number } = {},
): Uint8Array {
  return new ByteWriter()
    .u16(frame.type ?? ipEtherType(payload))
    .u16(0)
    .u32(frame.interface ?? 1)
    .u16(772)
    .u8(frame.packetType ?? packetType.host)
    .u8(6)
    .zeros(8)
    .bytes(payload)
    .finish();
}

function ipEtherType(payload: Uint8Array): number {
  return (payload[0] ?? 0) >> 4 === 6 ? etherType.ipv6 : etherType.ipv4;
}

function macBytes(text: string): Uint8Array {
  const bytes = parseMacAddress(text);
  if (bytes === undefined) throw new RangeError(`Cannot build frame: not a MAC address: ${text}`);
  return bytes;
}

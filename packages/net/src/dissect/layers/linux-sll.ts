import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherTypeNames } from './ether-type.ts';
import { linkType } from './link-type.ts';
import { names } from './names.ts';

// packet(7), sll_pkttype.
export const packetTypes = names({
  0: 'Unicast to us',
  1: 'Broadcast',
  2: 'Multicast',
  3: 'Unicast to another host',
  4: 'Sent by us',
});

// linux/if_arp.h.
export const hardwareTypes = names({
  1: 'Ethernet',
  512: 'PPP',
  768: 'IPv4 tunnel',
  769: 'IPv6 tunnel',
  772: 'Loopback',
  776: 'IPv6-in-IPv4 tunnel',
  778: 'GRE over IP',
  801: 'IEEE 802.11',
  65534: 'None (no link-layer address)',
});

/** ARPHRD_ETHER and ARPHRD_LOOPBACK have addresses of Ethernet's form. */
export function slaveAddress(packet: PacketReader, hardware: number, length: number): void {
  const size = Math.min(length, 8);
  if ((hardware === 1 || hardware === 772) && size === 6) packet.mac('sll.src.eth');
  else if (size > 0) packet.raw('sll.src.other', size);
  if (size < 8) packet.raw('sll.unused', 8 - size);
}

/**
 * Linux "cooked" capture, what the `any` interface gives (LINKTYPE_LINUX_SLL).
 *
 *      0           2             4            6           14         16
 *     +-----------+-------------+------------+-----------+----------+----
 *     | pkt type  | ARPHRD type | addr length| address 8 | protocol | ...
 *     +-----------+-------------+------------+-----------+----------+----
 */
export const linuxSll: LayerDefinition = {
  protocol: 'sll',
  announcedBy: { linktype: [linkType.linuxSll] },
  dissect(packet) {
    packet.u16('sll.pkttype', packetTypes);
    const hardware = packet.u16('sll.hatype', hardwareTypes);
    slaveAddress(packet, hardware, packet.u16('sll.halen'));
    packet.payload('ethertype', packet.u16('sll.etype', etherTypeNames));
  },
};

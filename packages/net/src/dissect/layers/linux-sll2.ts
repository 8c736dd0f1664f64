import type { LayerDefinition } from '../layer-definition.ts';
import { etherTypeNames } from './ether-type.ts';
import { linkType } from './link-type.ts';
import { hardwareTypes, packetTypes, slaveAddress } from './linux-sll.ts';

/**
 * Linux "cooked" capture, version 2: the interface travels with each packet (LINKTYPE_LINUX_SLL2).
 *
 *      0          2          4           8             10         11     12        20
 *     +----------+----------+-----------+-------------+----------+------+---------+----
 *     | protocol | reserved | interface | ARPHRD type | pkt type | alen | address | ...
 *     +----------+----------+-----------+-------------+----------+------+---------+----
 */
export const linuxSll2: LayerDefinition = {
  protocol: 'sll',
  announcedBy: { linktype: [linkType.linuxSll2] },
  dissect(packet) {
    const type = packet.u16('sll.etype', etherTypeNames);
    packet.skip(2);
    packet.u32('sll.ifindex');
    const hardware = packet.u16('sll.hatype', hardwareTypes);
    packet.u8('sll.pkttype', packetTypes);
    slaveAddress(packet, hardware, packet.u8('sll.halen'));
    packet.payload('ethertype', type);
  },
};

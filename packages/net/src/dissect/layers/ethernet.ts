import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherTypeNames } from './ether-type.ts';
import { linkType } from './link-type.ts';

// IEEE 802.3 3.2.6: up to 1500 the field is a length, from 1536 on a type.
const maxLength = 1500;
// IEEE 802.3 4A.2.3.2.4: 64 octets with the frame check sequence, which captures don't hold.
const minFrame = 60;

/**
 * Ethernet II and 802.3 frames.
 *
 *      0        6        12    14
 *     +--------+--------+------+--------------
 *     |  dst   |  src   | type | payload
 *     +--------+--------+------+--------------
 */
export const ethernet: LayerDefinition = {
  protocol: 'eth',
  announcedBy: { linktype: [linkType.ethernet] },
  dissect(packet) {
    address(packet, 'eth.dst');
    address(packet, 'eth.src');
    const type = packet.peek16(0);
    if (type > maxLength) {
      packet.u16('eth.type', etherTypeNames);
      packet.payload('ethertype', type);
    } else {
      packet.limit(packet.u16('eth.len'));
      packet.payload('llc', 0);
    }
  },
  trailer(packet) {
    const frameStart = packet.layer.start;
    const padding = Math.min(packet.remaining, Math.max(0, frameStart + minFrame - packet.at));
    if (padding > 0) packet.raw('eth.padding', padding);
    if (packet.remaining > 0) packet.raw('eth.trailer', packet.remaining);
  },
};

function address(packet: PacketReader, name: string): void {
  const at = packet.at;
  packet.mac(name);
  packet.flag(`${name}.lg`, at, 6);
  packet.flag(`${name}.ig`, at, 7);
}

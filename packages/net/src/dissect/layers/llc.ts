import type { LayerDefinition } from '../layer-definition.ts';

/** IEEE 802.2 header of 802.3 frames; what follows (spanning tree, IPX) is data here. */
export const llc: LayerDefinition = {
  protocol: 'llc',
  announcedBy: { llc: [0] },
  dissect(packet) {
    packet.u8('llc.dsap');
    packet.u8('llc.ssap');
    // IEEE 802.2 5.4: unnumbered frames have one control byte, the others two.
    const isUnnumbered = (packet.peek8(0) & 3) === 3;
    const at = packet.at;
    const control = isUnnumbered ? packet.peek8(0) : packet.peek16(0);
    packet.skip(isUnnumbered ? 1 : 2);
    packet.span('llc.control', control, at);
    packet.payload('llc.dsap', -1);
  },
};

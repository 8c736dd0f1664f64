import type { LayerDefinition } from '../layer-definition.ts';
import { etherType } from './ether-type.ts';
import { linkType } from './link-type.ts';

/** No link header at all: the first four bits say which IP it is. A layer without fields. */
export const rawIp: LayerDefinition = {
  protocol: 'raw',
  announcedBy: { linktype: [linkType.raw, 12, 14, linkType.ipv4, linkType.ipv6] },
  dissect(packet) {
    packet.payload('ethertype', packet.peek8(0) >> 4 === 6 ? etherType.ipv6 : etherType.ipv4);
  },
};

import type { LayerDefinition } from '../layer-definition.ts';
import { etherType, etherTypeNames } from './ether-type.ts';
import { names } from './names.ts';

// IEEE 802.1Q table I-2, traffic type acronyms.
const priorities = names({
  0: 'Best Effort (default)',
  1: 'Background',
  2: 'Excellent Effort',
  3: 'Critical Applications',
  4: 'Video, < 100ms latency and jitter',
  5: 'Voice, < 10ms latency and jitter',
  6: 'Internetwork Control',
  7: 'Network Control',
});

/** One 802.1Q tag; Q-in-Q is one layer after another. */
export const vlan: LayerDefinition = {
  protocol: 'vlan',
  announcedBy: {
    ethertype: [etherType.vlan, etherType.serviceVlan, etherType.oldServiceVlan],
  },
  dissect(packet) {
    const at = packet.at;
    packet.bits('vlan.priority', at, 0, 3, priorities);
    packet.flag('vlan.dei', at, 3);
    packet.bits('vlan.id', at, 4, 12);
    packet.skip(2);
    const type = packet.u16('vlan.etype', etherTypeNames);
    packet.payload('ethertype', type);
  },
};

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

/** One 802.1Q tag. */
export const vlan = tag('vlan', [etherType.vlan, etherType.oldServiceVlan], 'vlan.etype');

/** The outer tag of Q-in-Q, IEEE 802.1ad; its type field is named as Wireshark names it. */
export const serviceVlan = tag('ieee8021ad', [etherType.serviceVlan], 'ieee8021ah.etype');

function tag(protocol: string, ethertype: readonly number[], typeName: string): LayerDefinition {
  return {
    protocol,
    announcedBy: { ethertype },
    dissect(packet) {
      const at = packet.at;
      packet.bits(`${protocol}.priority`, at, 0, 3, priorities);
      packet.flag(`${protocol}.dei`, at, 3);
      packet.bits(`${protocol}.id`, at, 4, 12);
      packet.skip(2);
      packet.payload('ethertype', packet.u16(typeName, etherTypeNames));
    },
  };
}

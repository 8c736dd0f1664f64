import { etherType } from '../layers/ether-type.ts';
import { ipProtocol } from '../layers/ip-protocol.ts';
import type { FilterNode, LoadProtocol } from './filter-tree.ts';

/** Words that stand for numbers in `proto[…]` and relations, pcap-filter(7). */
export const filterConstants: ReadonlyMap<string, number> = new Map(
  Object.entries({
    icmptype: 0,
    icmpcode: 1,
    'icmp-echoreply': 0,
    'icmp-unreach': 3,
    'icmp-sourcequench': 4,
    'icmp-redirect': 5,
    'icmp-echo': 8,
    'icmp-routeradvert': 9,
    'icmp-routersolicit': 10,
    'icmp-timxceed': 11,
    'icmp-paramprob': 12,
    'icmp-tstamp': 13,
    'icmp-tstampreply': 14,
    'icmp-ireq': 15,
    'icmp-ireqreply': 16,
    'icmp-maskreq': 17,
    'icmp-maskreply': 18,
    icmp6type: 0,
    icmp6code: 1,
    'icmp6-destinationunreach': 1,
    'icmp6-packettoobig': 2,
    'icmp6-timeexceeded': 3,
    'icmp6-parameterproblem': 4,
    'icmp6-echo': 128,
    'icmp6-echoreply': 129,
    'icmp6-multicastlistenerquery': 130,
    'icmp6-multicastlistenerreportv1': 131,
    'icmp6-multicastlistenerdone': 132,
    'icmp6-routersolicit': 133,
    'icmp6-routeradvert': 134,
    'icmp6-neighborsolicit': 135,
    'icmp6-neighboradvert': 136,
    'icmp6-redirect': 137,
    'icmp6-multicastlistenerreportv2': 143,
    tcpflags: 13,
    'tcp-fin': 0x01,
    'tcp-syn': 0x02,
    'tcp-rst': 0x04,
    'tcp-push': 0x08,
    'tcp-ack': 0x10,
    'tcp-urg': 0x20,
    'tcp-ece': 0x40,
    'tcp-cwr': 0x80,
  }),
);

/** A protocol's word alone, as what it means. */
export const protocolNodes: ReadonlyMap<string, FilterNode> = new Map<string, FilterNode>([
  ['ip', { kind: 'etherType', value: etherType.ipv4 }],
  ['ip6', { kind: 'etherType', value: etherType.ipv6 }],
  ['arp', { kind: 'etherType', value: etherType.arp }],
  ['rarp', { kind: 'etherType', value: 0x8035 }],
  ['tcp', { kind: 'ipProtocol', family: undefined, value: ipProtocol.tcp }],
  ['udp', { kind: 'ipProtocol', family: undefined, value: ipProtocol.udp }],
  ['sctp', { kind: 'ipProtocol', family: undefined, value: ipProtocol.sctp }],
  ['icmp', { kind: 'ipProtocol', family: 'ip', value: ipProtocol.icmp }],
  ['igmp', { kind: 'ipProtocol', family: 'ip', value: ipProtocol.igmp }],
  ['icmp6', { kind: 'ipProtocol', family: 'ip6', value: ipProtocol.icmpv6 }],
]);

/** Names after `proto`; the keywords among them may have a backslash. */
export const ipProtocolWords: ReadonlyMap<string, number> = new Map([
  ['tcp', ipProtocol.tcp],
  ['udp', ipProtocol.udp],
  ['sctp', ipProtocol.sctp],
  ['icmp', ipProtocol.icmp],
  ['igmp', ipProtocol.igmp],
  ['icmp6', ipProtocol.icmpv6],
  ['ipv6-icmp', ipProtocol.icmpv6],
]);

/** Names after `ether proto`. */
export const etherTypeWords: ReadonlyMap<string, number> = new Map([
  ['ip', etherType.ipv4],
  ['ip6', etherType.ipv6],
  ['arp', etherType.arp],
  ['rarp', 0x8035],
]);

const loadProtocols: ReadonlySet<string> = new Set<LoadProtocol>([
  'ether',
  'ip',
  'ip6',
  'arp',
  'rarp',
  'tcp',
  'udp',
  'sctp',
  'icmp',
  'icmp6',
  'igmp',
]);

export function isLoadProtocol(word: string): word is LoadProtocol {
  return loadProtocols.has(word);
}

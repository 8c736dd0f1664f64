import { internetSum } from '../checksum/internet-checksum.ts';
import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherType } from './ether-type.ts';
import { dscpNames, ecnNames, ipProtocol, ipProtocolNames } from './ip-protocol.ts';

/**
 * IPv6, RFC 8200.
 *
 *     |ver 4| traffic class 8 | flow label 20                  |
 *     | payload length             | next header | hop limit   |
 *     | source address, 16 bytes                                |
 *     | destination address, 16 bytes                           |
 */
export const ipv6: LayerDefinition = {
  protocol: 'ipv6',
  announcedBy: { ethertype: [etherType.ipv6], 'ip.proto': [ipProtocol.ipv6] },
  dissect(packet) {
    const start = packet.at;
    trafficClass(packet, start);
    const length = packet.u16('ipv6.plen');
    const next = packet.u8('ipv6.nxt', ipProtocolNames);
    packet.u8('ipv6.hlim');
    packet.ipv6('ipv6.src');
    packet.ipv6('ipv6.dst');
    // The protocol of the pseudo-header is that of the last header: extension headers leave it out.
    packet.pseudoSum = internetSum(packet.bytes, start + 8, start + 40);
    packet.isFragment = false;
    // Length 0 with a hop-by-hop header is a jumbogram (RFC 2675), its length in an option.
    if (length > 0 || next !== ipProtocol.hopByHop) packet.limit(length);
    else packet.isWhole = false;
    packet.payload('ip.proto', next);
  },
};

function trafficClass(packet: PacketReader, start: number): void {
  const version = packet.bits('ipv6.version', start, 0, 4);
  if (version !== 6) packet.malformed(`IP version 6 instead of ${version}`);
  packet.bits('ipv6.tclass', start, 4, 8);
  packet.bits('ipv6.tclass.dscp', start, 4, 6, dscpNames);
  packet.bits('ipv6.tclass.ecn', start, 10, 2, ecnNames);
  packet.bits('ipv6.flow', start, 12, 20);
  packet.skip(4);
}

import type { LayerDefinition } from '../layer-definition.ts';
import { ipProtocol } from './ip-protocol.ts';
import { transportChecksum } from './transport-checksum.ts';

/**
 * UDP, RFC 768.
 *
 *     | source port | destination port | length | checksum |
 */
export const udp: LayerDefinition = {
  protocol: 'udp',
  announcedBy: { 'ip.proto': [ipProtocol.udp] },
  dissect(packet) {
    const start = packet.at;
    const source = packet.u16('udp.srcport');
    const destination = packet.u16('udp.dstport');
    const length = packet.u16('udp.length');
    const checksum = packet.u16('udp.checksum');
    // Length 0 is a jumbogram's (RFC 2675 4): what the IP layer left.
    const covered = length === 0 ? packet.end - start : length;
    if (covered < 8) packet.malformed(`a UDP length of 8 or more instead of ${length}`);
    packet.limit(covered - 8);
    const status =
      checksum === 0
        ? 'not present'
        : transportChecksum(packet, ipProtocol.udp, start, covered, checksum);
    packet.derived('udp.checksum.status', status, start + 6);
    if (packet.remaining > 0) {
      packet.span(
        'udp.payload',
        packet.bytes.subarray(packet.at, packet.end),
        packet.at,
        packet.end,
      );
    }
    packet.payload('udp.port', Math.min(source, destination), Math.max(source, destination));
  },
};

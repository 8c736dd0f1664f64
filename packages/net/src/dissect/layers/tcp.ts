import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { ipProtocol } from './ip-protocol.ts';
import { tcpFlag, tcpFlagText } from './tcp-flags.ts';
import { tcpOptions } from './tcp-options.ts';
import { transportChecksum } from './transport-checksum.ts';

const flagNames = [
  'tcp.flags.ae',
  'tcp.flags.cwr',
  'tcp.flags.ece',
  'tcp.flags.urg',
  'tcp.flags.ack',
  'tcp.flags.push',
  'tcp.flags.reset',
  'tcp.flags.syn',
  'tcp.flags.fin',
] as const;

/**
 * TCP, RFC 9293 3.1.
 *
 *     | source port              | destination port         |
 *     | sequence number                                     |
 *     | acknowledgment number                               |
 *     | offset 4 |res 3|A|C|E|U|A|P|R|S|F| window            |
 *     | checksum                 | urgent pointer           |
 *     | options, padded to 32 bits ...
 *
 * Relative numbers (`tcp.seq`, `tcp.ack`) need the connection's first segment: ConversationTracker
 * has them.
 */
export const tcp: LayerDefinition = {
  protocol: 'tcp',
  announcedBy: { 'ip.proto': [ipProtocol.tcp] },
  dissect(packet) {
    const start = packet.at;
    const source = packet.u16('tcp.srcport');
    const destination = packet.u16('tcp.dstport');
    packet.u32('tcp.seq_raw');
    packet.u32('tcp.ack_raw');
    const headerLength = offsetAndFlags(packet);
    packet.u16('tcp.window_size_value');
    const checksum = packet.u16('tcp.checksum');
    const length = packet.end - start;
    const status = transportChecksum(packet, ipProtocol.tcp, start, length, checksum);
    packet.derived('tcp.checksum.status', status, start + 16);
    packet.u16('tcp.urgent_pointer');
    if (headerLength > 20) tcpOptions(packet, headerLength - 20);
    payload(packet, start);
    packet.payload('tcp.port', Math.min(source, destination), Math.max(source, destination));
  },
};

function offsetAndFlags(packet: PacketReader): number {
  const at = packet.at;
  const word = packet.peek16(0);
  const headerLength = (word >> 12) * 4;
  packet.field('tcp.hdr_len', headerLength, at * 8, at * 8 + 4);
  if (headerLength < 20) {
    packet.malformed(`a TCP header of 20 bytes or more instead of ${headerLength}`);
  }
  const flags = word & 0x0fff;
  packet.field('tcp.flags', flags, at * 8 + 4, at * 8 + 16, tcpFlagText(flags));
  packet.bits('tcp.flags.res', at, 4, 3);
  for (let bit = 0; bit < flagNames.length; bit++) {
    const start = at * 8 + 7 + bit;
    packet.field(flagNames[bit]!, (flags & (0x100 >> bit)) !== 0, start, start + 1);
  }
  packet.skip(2);
  return headerLength;
}

function payload(packet: PacketReader, start: number): void {
  // A packet quoted by ICMP may promise more than it brings.
  const length = packet.remaining;
  const isReset = (packet.bytes[start + 13]! & tcpFlag.rst) !== 0;
  packet.derived('tcp.len', length, start);
  if (length > 0 && isReset) {
    // RFC 9293 3.5.3: a reset may carry text that says why.
    packet.text('tcp.reset_cause', length);
  } else if (length > 0) {
    packet.span('tcp.payload', packet.bytes.subarray(packet.at, packet.end), packet.at, packet.end);
  }
}

import { internetSum } from '../checksum/internet-checksum.ts';
import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherType } from './ether-type.ts';
import { dscpNames, ecnNames, ipProtocol, ipProtocolNames } from './ip-protocol.ts';
import { ipv4Options } from './ipv4-options.ts';
import { names } from './names.ts';

const flagNames = names({ 0: 'none', 1: 'More fragments', 2: "Don't fragment" });

/**
 * IPv4, RFC 791.
 *
 *      0               1               2               3
 *     |ver 4| hdr 4 |  DSCP 6  |ECN| total length              |
 *     | identification             |R|D|M| fragment offset 13   |
 *     | time to live | protocol    | header checksum            |
 *     | source address                                          |
 *     | destination address                                     |
 *     | options, padded to 32 bits ...
 */
export const ipv4: LayerDefinition = {
  protocol: 'ip',
  announcedBy: { ethertype: [etherType.ipv4], 'ip.proto': [ipProtocol.ipv4] },
  dissect(packet) {
    const start = packet.at;
    const headerLength = versionAndLength(packet, start);
    const totalLength = lengthAndFragment(packet, start);
    packet.u8('ip.ttl');
    const protocol = packet.u8('ip.proto', ipProtocolNames);
    headerChecksum(packet, start, headerLength);
    packet.ipv4('ip.src');
    packet.ipv4('ip.dst');
    packet.pseudoSum = internetSum(packet.bytes, start + 12, start + 20);
    if (headerLength > 20) ipv4Options(packet, headerLength - 20);
    boundPayload(packet, start, totalLength, headerLength);
    const offset = packet.bytes[start + 6]!;
    const rest = packet.bytes[start + 7]!;
    packet.isFragment = (offset & 0x3f) !== 0 || rest !== 0;
    const isFirst = (offset & 0x1f) === 0 && rest === 0;
    packet.payload(isFirst ? 'ip.proto' : 'ip.fragment', protocol);
  },
};

function versionAndLength(packet: PacketReader, start: number): number {
  const version = packet.bits('ip.version', start, 0, 4);
  if (version !== 4) packet.malformed(`IP version 4 instead of ${version}`);
  const headerLength = (packet.bytes[start]! & 15) * 4;
  packet.field('ip.hdr_len', headerLength, start * 8 + 4, start * 8 + 8);
  if (headerLength < 20) {
    packet.malformed(`a header of 20 bytes or more instead of ${headerLength}`);
  }
  packet.skip(1);
  packet.u8('ip.dsfield');
  packet.bits('ip.dsfield.dscp', start + 1, 0, 6, dscpNames);
  packet.bits('ip.dsfield.ecn', start + 1, 6, 2, ecnNames);
  return headerLength;
}

function lengthAndFragment(packet: PacketReader, start: number): number {
  const totalLength = packet.u16('ip.len');
  packet.u16('ip.id');
  packet.bits('ip.flags', start + 6, 0, 3, flagNames);
  packet.flag('ip.flags.rb', start + 6, 0);
  packet.flag('ip.flags.df', start + 6, 1);
  packet.flag('ip.flags.mf', start + 6, 2);
  const units = packet.peek16(0) & 0x1fff;
  packet.field('ip.frag_offset', units, start * 8 + 51, start * 8 + 64, `${units * 8} bytes`);
  packet.skip(2);
  return totalLength;
}

function headerChecksum(packet: PacketReader, start: number, headerLength: number): void {
  const at = packet.at;
  packet.u16('ip.checksum');
  if (start + headerLength > packet.end)
    return packet.derived('ip.checksum.status', 'unverified', at);
  const sum = internetSum(packet.bytes, start, start + headerLength);
  packet.derived('ip.checksum.status', sum === 0xffff ? 'good' : 'bad', at);
}

function boundPayload(
  packet: PacketReader,
  start: number,
  totalLength: number,
  headerLength: number,
): void {
  if (totalLength === 0) {
    // Segmentation offload: a segment above 64 KiB has no length that fits (BIG TCP).
    packet.isWhole = false;
  } else if (totalLength < headerLength) {
    packet.malformed(`a total length of ${headerLength} or more instead of ${totalLength}`);
  } else {
    packet.limit(start + totalLength - packet.at);
  }
}

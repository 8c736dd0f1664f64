import { crc32c } from '../checksum/crc32c.ts';
import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { ipProtocol } from './ip-protocol.ts';
import { sctpChunkBody, sctpChunkNames } from './sctp-chunks.ts';

/**
 * SCTP, RFC 9260 3: a common header, then chunks, each padded to four bytes.
 *
 *     | source port | destination port | verification tag | CRC-32C |
 *     | chunk type | flags | length | value ... |
 */
export const sctp: LayerDefinition = {
  protocol: 'sctp',
  announcedBy: { 'ip.proto': [ipProtocol.sctp] },
  dissect(packet) {
    const start = packet.at;
    packet.u16('sctp.srcport');
    packet.u16('sctp.dstport');
    packet.u32('sctp.verification_tag');
    const checksum = packet.u32('sctp.checksum');
    packet.derived('sctp.checksum.status', checksumStatus(packet, start, checksum), start + 8);
    while (packet.remaining > 0) chunk(packet);
  },
};

/** The CRC is stored with its least significant byte first (RFC 9260 appendix A). */
function checksumStatus(packet: PacketReader, start: number, checksum: number): string {
  if (!packet.isWhole || packet.isFragment) return 'unverified';
  const crc = crc32c(packet.bytes, start, packet.end, start + 8);
  const swapped =
    ((crc >>> 24) | ((crc >>> 8) & 0xff00) | ((crc << 8) & 0xff0000) | (crc << 24)) >>> 0;
  return swapped === checksum ? 'good' : 'bad';
}

function chunk(packet: PacketReader): void {
  const at = packet.at;
  const type = packet.u8('sctp.chunk_type', sctpChunkNames);
  // What to do with an unknown chunk: stop or skip, silently or with a report.
  packet.flag('sctp.chunk_bit_1', at, 0);
  packet.flag('sctp.chunk_bit_2', at, 1);
  packet.u8('sctp.chunk_flags');
  const length = packet.u16('sctp.chunk_length');
  if (length < 4) packet.malformed(`a chunk length of 4 or more instead of ${length}`);
  packet.region(length - 4, () => sctpChunkBody(packet, type, at));
  const padding = Math.min(-length & 3, packet.remaining);
  if (padding > 0) packet.raw('sctp.chunk_padding', padding);
}

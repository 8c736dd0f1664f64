import { internetSum } from '../checksum/internet-checksum.ts';
import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { ipProtocol } from './ip-protocol.ts';
import { names } from './names.ts';

const query = 0x11;
const report1 = 0x12;
const report3 = 0x22;

// RFC 1112, 2236, 9776.
const types = names({
  0x11: 'Membership Query',
  0x12: 'Membership Report',
  0x16: 'Membership Report',
  0x17: 'Leave Group',
  0x22: 'Membership Report',
});
const recordTypes = names({
  1: 'Mode Is Include',
  2: 'Mode Is Exclude',
  3: 'Change To Include Mode',
  4: 'Change To Exclude Mode',
  5: 'Allow New Sources',
  6: 'Block Old Sources',
});

/** IGMP versions 1 to 3; a query's version shows in its length and its second byte (RFC 9776 7.1). */
export const igmp: LayerDefinition = {
  protocol: 'igmp',
  announcedBy: { 'ip.proto': [ipProtocol.igmp] },
  dissect(packet) {
    const start = packet.at;
    const version = versionOf(packet);
    packet.derived('igmp.version', version, start);
    const type = packet.u8('igmp.type', types);
    if (type === report3) return report(packet, start);
    if (version === 1) packet.raw('igmp.reserved', 1);
    else maximumResponse(packet, type, version);
    checksum(packet, start);
    packet.ipv4('igmp.maddr');
    if (type === query && version === 3) queryTail(packet);
  },
};

function versionOf(packet: PacketReader): number {
  const type = packet.peek8(0);
  if (type === report3) return 3;
  if (type === report1) return 1;
  if (type !== query) return 2;
  if (packet.remaining >= 12) return 3;
  return packet.peek8(1) === 0 ? 1 : 2;
}

/** In tenths of a second; from 128 on an exponent and a mantissa (RFC 9776 4.1.1). */
function maximumResponse(packet: PacketReader, type: number, version: number): void {
  const at = packet.at;
  const value = packet.u8('igmp.max_resp');
  if (type === query && version === 3 && value >= 128) {
    packet.bits('igmp.max_resp.exp', at, 1, 3);
    packet.bits('igmp.max_resp.mant', at, 4, 4);
  }
}

function checksum(packet: PacketReader, start: number): void {
  packet.u16('igmp.checksum');
  const known = packet.isWhole && !packet.isFragment;
  const good = known && internetSum(packet.bytes, start, packet.end) === 0xffff;
  const status = good ? 'good' : known ? 'bad' : 'unverified';
  packet.derived('igmp.checksum.status', status, start + 2);
}

function queryTail(packet: PacketReader): void {
  const at = packet.at;
  packet.flag('igmp.s', at, 4);
  packet.bits('igmp.qrv', at, 5, 3);
  packet.skip(1);
  packet.u8('igmp.qqic');
  const sources = packet.u16('igmp.num_src');
  for (let source = 0; source < sources; source++) packet.ipv4('igmp.saddr');
}

function report(packet: PacketReader, start: number): void {
  packet.raw('igmp.reserved', 1);
  checksum(packet, start);
  packet.raw('igmp.reserved', 2);
  const records = packet.u16('igmp.num_grp_recs');
  for (let record = 0; record < records; record++) groupRecord(packet);
}

function groupRecord(packet: PacketReader): void {
  packet.u8('igmp.record_type', recordTypes);
  const auxiliary = packet.u8('igmp.aux_data_len') * 4;
  const sources = packet.u16('igmp.num_src');
  packet.ipv4('igmp.maddr');
  for (let source = 0; source < sources; source++) packet.ipv4('igmp.saddr');
  if (auxiliary > 0) packet.raw('igmp.aux_data', auxiliary);
}

import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherType } from './ether-type.ts';
import { neighbourOptions } from './icmpv6-options.ts';
import { ipProtocol } from './ip-protocol.ts';
import { names } from './names.ts';
import { transportChecksum } from './transport-checksum.ts';

// iana.org/assignments/icmpv6-parameters.
const types = names({
  1: 'Destination Unreachable',
  2: 'Packet Too Big',
  3: 'Time Exceeded',
  4: 'Parameter Problem',
  128: 'Echo (ping) request',
  129: 'Echo (ping) reply',
  130: 'Multicast Listener Query',
  131: 'Multicast Listener Report',
  132: 'Multicast Listener Done',
  133: 'Router Solicitation',
  134: 'Router Advertisement',
  135: 'Neighbor Solicitation',
  136: 'Neighbor Advertisement',
  137: 'Redirect',
  143: 'Multicast Listener Report Message v2',
});
const unreachable = names({
  0: 'no route to destination',
  1: 'Administratively prohibited',
  2: 'Beyond scope of source address',
  3: 'Address unreachable',
  4: 'Port unreachable',
  5: 'Source address failed ingress/egress policy',
  6: 'Reject route to destination',
});
const exceeded = names({
  0: 'hop limit exceeded in transit',
  1: 'fragment reassembly time exceeded',
});
const parameterProblem = names({
  0: 'erroneous header field encountered',
  1: 'unrecognized Next Header type encountered',
  2: 'unrecognized IPv6 option encountered',
});
const codes: Readonly<Record<number, ReturnType<typeof names>>> = {
  1: unreachable,
  3: exceeded,
  4: parameterProblem,
};
const recordTypes = names({
  1: 'Include',
  2: 'Exclude',
  3: 'Changed to include',
  4: 'Changed to exclude',
  5: 'Allow new sources',
  6: 'Block old sources',
});
const preferences = names({ 0: 'Medium', 1: 'High', 2: 'Reserved', 3: 'Low' });

type MessageReader = (packet: PacketReader) => void;

// Type → what follows type, code and checksum.
const messages: Readonly<Record<number, MessageReader>> = {
  1: (packet) => quoted(packet, () => packet.raw('icmpv6.reserved', 4)),
  2: (packet) => quoted(packet, () => packet.u32('icmpv6.mtu')),
  3: (packet) => quoted(packet, () => packet.raw('icmpv6.reserved', 4)),
  4: (packet) => quoted(packet, () => packet.u32('icmpv6.pointer')),
  128: echo,
  129: echo,
  130: listenerQuery,
  131: listenerReport,
  132: listenerReport,
  133: routerSolicitation,
  134: routerAdvertisement,
  135: neighbourSolicitation,
  136: neighbourAdvertisement,
  137: redirect,
  143: listenerReport2,
};

/** ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and listener discovery (RFC 2710, 9777). */
export const icmpv6: LayerDefinition = {
  protocol: 'icmpv6',
  announcedBy: { 'ip.proto': [ipProtocol.icmpv6] },
  dissect(packet) {
    const start = packet.at;
    const type = packet.u8('icmpv6.type', types);
    packet.u8('icmpv6.code', codes[type]);
    const checksum = packet.u16('icmpv6.checksum');
    const length = packet.end - start;
    const status = transportChecksum(packet, ipProtocol.icmpv6, start, length, checksum);
    packet.derived('icmpv6.checksum.status', status, start + 2);
    const read = messages[type];
    if (read !== undefined) read(packet);
    else if (packet.remaining > 0) packet.raw('icmpv6.data', packet.remaining);
  },
};

function quoted(packet: PacketReader, readWord: () => void): void {
  readWord();
  packet.payload('ethertype', etherType.ipv6);
}

function echo(packet: PacketReader): void {
  packet.u16('icmpv6.echo.identifier');
  packet.u16('icmpv6.echo.sequence_number');
  packet.payload('icmp.echo', 0);
}

function routerSolicitation(packet: PacketReader): void {
  packet.raw('icmpv6.reserved', 4);
  neighbourOptions(packet);
}

function routerAdvertisement(packet: PacketReader): void {
  packet.u8('icmpv6.nd.ra.cur_hop_limit');
  const at = packet.at;
  packet.u8('icmpv6.nd.ra.flag');
  packet.flag('icmpv6.nd.ra.flag.m', at, 0);
  packet.flag('icmpv6.nd.ra.flag.o', at, 1);
  packet.flag('icmpv6.nd.ra.flag.h', at, 2);
  packet.bits('icmpv6.nd.ra.flag.prf', at, 3, 2, preferences);
  packet.flag('icmpv6.nd.ra.flag.p', at, 5);
  packet.bits('icmpv6.nd.ra.flag.rsv', at, 6, 2);
  packet.u16('icmpv6.nd.ra.router_lifetime');
  packet.u32('icmpv6.nd.ra.reachable_time');
  packet.u32('icmpv6.nd.ra.retrans_timer');
  neighbourOptions(packet);
}

function neighbourSolicitation(packet: PacketReader): void {
  packet.raw('icmpv6.reserved', 4);
  packet.ipv6('icmpv6.nd.ns.target_address');
  neighbourOptions(packet);
}

function neighbourAdvertisement(packet: PacketReader): void {
  const at = packet.at;
  packet.u32('icmpv6.nd.na.flag');
  packet.flag('icmpv6.nd.na.flag.r', at, 0);
  packet.flag('icmpv6.nd.na.flag.s', at, 1);
  packet.flag('icmpv6.nd.na.flag.o', at, 2);
  packet.bits('icmpv6.nd.na.flag.rsv', at, 3, 29);
  packet.ipv6('icmpv6.nd.na.target_address');
  neighbourOptions(packet);
}

function redirect(packet: PacketReader): void {
  packet.raw('icmpv6.reserved', 4);
  packet.ipv6('icmpv6.nd.rd.target_address');
  packet.ipv6('icmpv6.rd.na.destination_address');
  neighbourOptions(packet);
}

function listenerReport(packet: PacketReader): void {
  packet.u16('icmpv6.mld.maximum_response_delay');
  packet.raw('icmpv6.reserved', 2);
  packet.ipv6('icmpv6.mld.multicast_address');
}

/** 24 bytes are version 1 (RFC 9777 8.1), more are version 2. */
function listenerQuery(packet: PacketReader): void {
  if (packet.remaining <= 20) return listenerReport(packet);
  packet.u16('icmpv6.mld.maximum_response_code');
  packet.raw('icmpv6.reserved', 2);
  packet.ipv6('icmpv6.mld.multicast_address');
  const at = packet.at;
  packet.u8('icmpv6.mld.flag');
  packet.flag('icmpv6.mld.flag.s', at, 4);
  packet.bits('icmpv6.mld.flag.qrv', at, 5, 3);
  packet.bits('icmpv6.mld.flag.reserved', at, 0, 4);
  packet.u8('icmpv6.mld.qqi');
  const sources = packet.u16('icmpv6.mld.nb_sources');
  for (let source = 0; source < sources; source++) packet.ipv6('icmpv6.mld.source_address');
}

function listenerReport2(packet: PacketReader): void {
  packet.raw('icmpv6.reserved', 2);
  const records = packet.u16('icmpv6.mldr.nb_mcast_records');
  for (let record = 0; record < records; record++) listenerRecord(packet);
}

function listenerRecord(packet: PacketReader): void {
  packet.u8('icmpv6.mldr.mar.record_type', recordTypes);
  const auxiliary = packet.u8('icmpv6.mldr.mar.aux_data_len') * 4;
  const sources = packet.u16('icmpv6.mldr.mar.nb_sources');
  packet.ipv6('icmpv6.mldr.mar.multicast_address');
  for (let source = 0; source < sources; source++) packet.ipv6('icmpv6.mldr.mar.source_address');
  if (auxiliary > 0) packet.raw('icmpv6.mldr.mar.auxiliary_data', auxiliary);
}

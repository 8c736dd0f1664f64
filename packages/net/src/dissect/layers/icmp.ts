import { internetSum } from '../checksum/internet-checksum.ts';
import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherType } from './ether-type.ts';
import { ipProtocol } from './ip-protocol.ts';
import { names } from './names.ts';

// iana.org/assignments/icmp-parameters.
const types = names({
  0: 'Echo (ping) reply',
  3: 'Destination unreachable',
  4: 'Source quench (flow control)',
  5: 'Redirect',
  8: 'Echo (ping) request',
  9: 'Router advertisement',
  10: 'Router solicitation',
  11: 'Time-to-live exceeded',
  12: 'Parameter problem',
  13: 'Timestamp request',
  14: 'Timestamp reply',
  17: 'Address mask request',
  18: 'Address mask reply',
});
const unreachable = names({
  0: 'Network unreachable',
  1: 'Host unreachable',
  2: 'Protocol unreachable',
  3: 'Port unreachable',
  4: 'Fragmentation needed',
  5: 'Source route failed',
  6: 'Network unknown',
  7: 'Host unknown',
  9: 'Network administratively prohibited',
  10: 'Host administratively prohibited',
  13: 'Communication administratively filtered',
});
const exceeded = names({
  0: 'Time to live exceeded in transit',
  1: 'Fragment reassembly time exceeded',
});
const redirect = names({ 0: 'Redirect for network', 1: 'Redirect for host' });
const codes: Readonly<Record<number, ReturnType<typeof names>>> = {
  3: unreachable,
  5: redirect,
  11: exceeded,
};

/** ICMP, RFC 792: type, code, checksum, then four bytes whose sense depends on the type. */
export const icmp: LayerDefinition = {
  protocol: 'icmp',
  announcedBy: { 'ip.proto': [ipProtocol.icmp] },
  dissect(packet) {
    const start = packet.at;
    const type = packet.u8('icmp.type', types);
    const code = packet.u8('icmp.code', codes[type]);
    packet.u16('icmp.checksum');
    packet.derived('icmp.checksum.status', checksumStatus(packet, start), start + 2);
    if (type === 0 || type === 8) echo(packet);
    else if (type === 13 || type === 14) timestamp(packet);
    else if (type === 9) routerAdvertisement(packet);
    else if (type === 17 || type === 18) addressMask(packet);
    else if (isError(type)) error(packet, type, code);
    else if (packet.remaining >= 4) packet.raw('icmp.reserved', 4);
  },
};

function checksumStatus(packet: PacketReader, start: number): string {
  if (!packet.isWhole || packet.isFragment) return 'unverified';
  return internetSum(packet.bytes, start, packet.end) === 0xffff ? 'good' : 'bad';
}

/** Identifier and sequence number, also as a little-endian host that forgot htons() meant them. */
function identifierAndSequence(packet: PacketReader): void {
  for (const name of ['icmp.ident', 'icmp.seq']) {
    const value = packet.u16(name);
    packet.span(`${name}_le`, ((value & 0xff) << 8) | (value >> 8), packet.at - 2);
  }
}

function echo(packet: PacketReader): void {
  identifierAndSequence(packet);
  packet.payload('icmp.echo', 0);
}

function timestamp(packet: PacketReader): void {
  identifierAndSequence(packet);
  packet.u32('icmp.originate_timestamp');
  packet.u32('icmp.receive_timestamp');
  packet.u32('icmp.transmit_timestamp');
}

function routerAdvertisement(packet: PacketReader): void {
  const count = packet.u8('icmp.num_addrs');
  const entrySize = packet.u8('icmp.addr_entry_size');
  packet.u16('icmp.lifetime');
  // RFC 1256 3: two words an entry; others are from a later version.
  if (entrySize !== 2) return;
  for (let entry = 0; entry < count; entry++) {
    packet.ipv4('icmp.router_address');
    const preference = packet.peek32(0) | 0;
    packet.skip(4);
    packet.span('icmp.pref_level', preference, packet.at - 4);
  }
}

function addressMask(packet: PacketReader): void {
  identifierAndSequence(packet);
  packet.ipv4('icmp.address_mask');
}

function isError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** The word before the quoted packet; gives that packet's length, or 0 (RFC 4884 3). */
function errorWord(packet: PacketReader, type: number, code: number): number {
  const words = packet.peek8(1);
  const hasMtu = type === 3 && code === 4;
  if (type === 12) packet.u8('icmp.pointer');
  else if (words > 0) packet.raw('icmp.unused', 1);
  if (words > 0) packet.u8('icmp.length');
  const wordEnd = packet.at + 4 - (words > 0 ? 2 : 0) - (type === 12 && words === 0 ? 1 : 0);
  if (hasMtu && wordEnd - packet.at === 4) packet.raw('icmp.unused', 2);
  if (hasMtu) packet.u16('icmp.mtu');
  else packet.raw('icmp.unused', wordEnd - packet.at);
  return words * 4;
}

/** Errors quote the packet they are about: its IP header and at least eight bytes (RFC 792, 1812). */
function error(packet: PacketReader, type: number, code: number): void {
  let quotedLength = 0;
  if (type === 5) {
    packet.ipv4('icmp.redir_gw');
  } else {
    quotedLength = errorWord(packet, type, code);
  }
  if (quotedLength >= 128 && quotedLength < packet.remaining) packet.limit(quotedLength);
  packet.payload('ethertype', etherType.ipv4);
}

import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';

// iana.org/assignments/icmpv6-parameters, neighbour discovery options.
const types = names({
  1: 'Source link-layer address',
  2: 'Target link-layer address',
  3: 'Prefix information',
  4: 'Redirected header',
  5: 'MTU',
  14: 'Nonce',
  24: 'Route Information',
  25: 'Recursive DNS Server',
  31: 'DNS Search List Option',
});

type OptionReader = (packet: PacketReader, end: number) => void;

const readers: Readonly<Record<number, OptionReader>> = {
  1: (packet, end) => linkAddress(packet, end, 'icmpv6.opt.src_linkaddr'),
  2: (packet, end) => linkAddress(packet, end, 'icmpv6.opt.target_linkaddr'),
  3: prefixInformation,
  5: mtu,
  14: (packet, end) => packet.raw('icmpv6.opt.nonce', end - packet.at),
  25: recursiveDnsServers,
};

/** Options of neighbour discovery, RFC 4861 4.6: type, length in units of 8 bytes, data. */
export function neighbourOptions(packet: PacketReader): void {
  while (packet.remaining > 0) {
    const start = packet.at;
    const type = packet.u8('icmpv6.opt.type', types);
    const units = packet.u8('icmpv6.opt.length');
    if (units === 0) packet.malformed('an option length of 1 or more instead of 0');
    packet.region(units * 8 - 2, () => readers[type]?.(packet, start + units * 8));
  }
}

function linkAddress(packet: PacketReader, end: number, name: string): void {
  packet.span('icmpv6.opt.linkaddr', packet.bytes.subarray(packet.at, end), packet.at, end);
  packet.raw(name, end - packet.at);
}

function prefixInformation(packet: PacketReader): void {
  packet.u8('icmpv6.opt.prefix.length');
  const at = packet.at;
  packet.u8('icmpv6.opt.prefix.flag');
  packet.flag('icmpv6.opt.prefix.flag.l', at, 0);
  packet.flag('icmpv6.opt.prefix.flag.a', at, 1);
  packet.flag('icmpv6.opt.prefix.flag.r', at, 2);
  packet.bits('icmpv6.opt.prefix.flag.reserved', at, 3, 5);
  packet.u32('icmpv6.opt.prefix.valid_lifetime');
  packet.u32('icmpv6.opt.prefix.preferred_lifetime');
  packet.skip(4);
  packet.ipv6('icmpv6.opt.prefix');
}

function mtu(packet: PacketReader): void {
  packet.skip(2);
  packet.u32('icmpv6.opt.mtu');
}

function recursiveDnsServers(packet: PacketReader): void {
  packet.skip(2);
  packet.u32('icmpv6.opt.rdnss.lifetime');
  while (packet.remaining >= 16) packet.ipv6('icmpv6.opt.rdnss');
}

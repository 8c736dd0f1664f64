import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { ipProtocol, ipProtocolNames } from './ip-protocol.ts';
import { names } from './names.ts';

// iana.org/assignments/ipv6-parameters.
const optionTypes = names({
  0: 'Pad1',
  1: 'PadN',
  4: 'Tunnel Encapsulation Limit',
  5: 'Router Alert',
  0x26: 'Quick-Start',
  0x30: 'Path MTU Record',
  0xc2: 'Jumbo Payload',
  0xc9: 'Home Address',
});
const routingTypes = names({
  0: 'Source Route',
  2: 'Type 2 Routing Header',
  3: 'RPL Source Route Header',
  4: 'Segment Routing',
});
const optionActions = names({
  0: 'Skip and continue',
  1: 'Discard',
  2: 'Discard and send ICMP Parameter Problem',
  3: 'Discard and send ICMP Parameter Problem, if not multicast',
});

/** Hop-by-hop options, RFC 8200 4.3. */
export const ipv6HopByHop = optionsHeader('ipv6.hopopts', ipProtocol.hopByHop);
/** Destination options, RFC 8200 4.6. */
export const ipv6Destination = optionsHeader('ipv6.dstopts', ipProtocol.destination);

/** next header, length in units of 8 bytes beyond the first 8, options. */
function optionsHeader(protocol: string, number: number): LayerDefinition {
  return {
    protocol,
    announcedBy: { 'ip.proto': [number] },
    dissect(packet) {
      const next = packet.u8(`${protocol}.nxt`, ipProtocolNames);
      const length = headerLength(packet, protocol);
      packet.region(length - 2, () => {
        while (packet.remaining > 0) option(packet);
      });
      packet.payload('ip.proto', next);
    },
  };
}

function headerLength(packet: PacketReader, protocol: string): number {
  const units = packet.u8(`${protocol}.len`);
  packet.span(`${protocol}.len_oct`, (units + 1) * 8, packet.at - 1);
  return (units + 1) * 8;
}

function option(packet: PacketReader): void {
  const at = packet.at;
  const type = packet.u8('ipv6.opt.type', optionTypes);
  packet.bits('ipv6.opt.type.action', at, 0, 2, optionActions);
  packet.flag('ipv6.opt.type.change', at, 2);
  packet.bits('ipv6.opt.type.rest', at, 3, 5);
  if (type === 0) return;
  const length = packet.u8('ipv6.opt.length');
  if (type === 5 && length === 2) packet.u16('ipv6.opt.router_alert');
  else if (type === 0xc2 && length === 4) packet.u32('ipv6.opt.jumbo');
  else if (type === 4 && length === 1) packet.u8('ipv6.opt.tel');
  else packet.raw(type === 1 ? 'ipv6.opt.padn' : 'ipv6.opt.unknown', length);
}

/** Routing header, RFC 8200 4.4 and RFC 8754. */
export const ipv6Routing: LayerDefinition = {
  protocol: 'ipv6.routing',
  announcedBy: { 'ip.proto': [ipProtocol.routing] },
  dissect(packet) {
    const next = packet.u8('ipv6.routing.nxt', ipProtocolNames);
    const length = headerLength(packet, 'ipv6.routing');
    const type = packet.u8('ipv6.routing.type', routingTypes);
    const segmentsLeft = packet.u8('ipv6.routing.segleft');
    packet.region(length - 4, () => routingData(packet, type));
    // The checksum is over the final destination, which isn't in the IPv6 header yet.
    if (segmentsLeft > 0) packet.pseudoSum = -1;
    packet.payload('ip.proto', next);
  },
};

function routingData(packet: PacketReader, type: number): void {
  if (type === 0 || type === 2) {
    const prefix = type === 0 ? 'ipv6.routing.src' : 'ipv6.routing.mipv6';
    packet.raw(`${prefix}.reserved`, 4);
    while (packet.remaining >= 16) {
      packet.ipv6(type === 0 ? 'ipv6.routing.src.addr' : 'ipv6.routing.mipv6.home_address');
    }
  } else if (type === 4) {
    const last = packet.u8('ipv6.routing.srh.last_entry');
    packet.u8('ipv6.routing.srh.flags');
    packet.raw('ipv6.routing.srh.tag', 2);
    for (let segment = 0; segment <= last; segment++) packet.ipv6('ipv6.routing.srh.addr');
  } else if (packet.remaining > 0) {
    packet.raw('ipv6.routing.unknown_data', packet.remaining);
  }
}

/**
 * Fragment header, RFC 8200 4.5.
 *
 *     | next header | reserved | offset 13 |res 2|M| identification 32 |
 */
export const ipv6Fragment: LayerDefinition = {
  protocol: 'ipv6.fraghdr',
  announcedBy: { 'ip.proto': [ipProtocol.fragment] },
  dissect(packet) {
    const next = packet.u8('ipv6.fraghdr.nxt', ipProtocolNames);
    packet.u8('ipv6.fraghdr.reserved_octet');
    const at = packet.at;
    const offset = packet.bits('ipv6.fraghdr.offset', at, 0, 13);
    packet.bits('ipv6.fraghdr.reserved_bits', at, 13, 2);
    const more = packet.flag('ipv6.fraghdr.more', at + 1, 7);
    packet.skip(2);
    packet.u32('ipv6.fraghdr.ident');
    packet.isFragment = offset > 0 || more;
    packet.payload(offset === 0 ? 'ip.proto' : 'ip.fragment', next);
  },
};

/** Authentication header, RFC 4302 2: its length counts 32-bit words, less two. */
export const ipsecAuthentication: LayerDefinition = {
  protocol: 'ah',
  announcedBy: { 'ip.proto': [ipProtocol.ah] },
  dissect(packet) {
    const next = packet.u8('ah.next_header', ipProtocolNames);
    const length = (packet.u8('ah.length') + 2) * 4;
    packet.raw('ah.reserved', 2);
    packet.u32('ah.spi');
    packet.u32('ah.sequence');
    if (length > 12) packet.raw('ah.icv', length - 12);
    packet.payload('ip.proto', next);
  },
};

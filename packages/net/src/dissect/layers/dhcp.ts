import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { dhcpOptions } from './dhcp-options.ts';
import { names } from './names.ts';

const operations = names({ 1: 'Boot Request', 2: 'Boot Reply' });
const hardwareTypes = names({ 1: 'Ethernet', 6: 'IEEE 802', 32: 'InfiniBand' });

/** RFC 2131 3: what follows is DHCP's options, and not BOOTP's vendor area. */
const magicCookie = 0x63825363;

/** DHCP over BOOTP's header, RFC 2131 2. */
export const dhcp: LayerDefinition = {
  protocol: 'dhcp',
  announcedBy: { 'udp.port': [67, 68] },
  dissect(packet) {
    packet.u8('dhcp.type', operations);
    const hardware = packet.u8('dhcp.hw.type', hardwareTypes);
    const hardwareLength = packet.u8('dhcp.hw.len');
    packet.u8('dhcp.hops');
    packet.u32('dhcp.id');
    packet.u16('dhcp.secs');
    flags(packet);
    packet.ipv4('dhcp.ip.client');
    packet.ipv4('dhcp.ip.your');
    packet.ipv4('dhcp.ip.server');
    packet.ipv4('dhcp.ip.relay');
    clientAddress(packet, hardware, hardwareLength);
    paddedText(packet, 'dhcp.server', 64);
    paddedText(packet, 'dhcp.file', 128);
    if (packet.remaining >= 4 && packet.peek32(0) === magicCookie) {
      packet.ipv4('dhcp.cookie');
      dhcpOptions(packet);
    } else if (packet.remaining > 0) {
      packet.raw('dhcp.vendor', packet.remaining);
    }
  },
};

function flags(packet: PacketReader): void {
  const at = packet.at;
  packet.u16('dhcp.flags');
  packet.flag('dhcp.flags.bc', at, 0);
  packet.bits('dhcp.flags.reserved', at, 1, 15);
}

function clientAddress(packet: PacketReader, hardware: number, length: number): void {
  const size = Math.min(length, 16);
  if (hardware === 1 && size === 6) packet.mac('dhcp.hw.mac_addr');
  else if (size > 0) packet.raw('dhcp.hw.addr', size);
  if (size < 16) packet.raw('dhcp.hw.addr_padding', 16 - size);
}

/** Text up to its first NUL in a field of fixed size. */
function paddedText(packet: PacketReader, name: string, size: number): void {
  packet.need(size);
  const nul = packet.find(0);
  const length = nul < 0 ? size : Math.min(size, nul);
  const end = packet.at + size;
  packet.text(name, length);
  packet.at = end;
}

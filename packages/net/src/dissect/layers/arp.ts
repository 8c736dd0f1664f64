import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { etherType, etherTypeNames } from './ether-type.ts';
import { names } from './names.ts';

const hardwareTypes = names({ 1: 'Ethernet', 6: 'IEEE 802', 15: 'Frame Relay', 32: 'InfiniBand' });
const operations = names({
  1: 'request',
  2: 'reply',
  3: 'reverse request',
  4: 'reverse reply',
  8: 'inverse request',
  9: 'inverse reply',
});

/**
 * Address resolution, RFC 826.
 *
 *      0         2          4     5     6       8
 *     +---------+----------+-----+-----+-------+---------+----------+---------+---------
 *     | hw type | protocol | hln | pln | opcode| src hw  | src prot | dst hw  | dst prot
 *     +---------+----------+-----+-----+-------+---------+----------+---------+---------
 */
export const arp: LayerDefinition = {
  protocol: 'arp',
  announcedBy: { ethertype: [etherType.arp, 0x8035] },
  dissect(packet) {
    const hardware = packet.u16('arp.hw.type', hardwareTypes);
    const protocol = packet.u16('arp.proto.type', etherTypeNames);
    const hardwareSize = packet.u8('arp.hw.size');
    const protocolSize = packet.u8('arp.proto.size');
    const operation = packet.u16('arp.opcode', operations);
    const form = { hardware, protocol, hardwareSize, protocolSize };
    const sender = addressPair(packet, 'arp.src', form);
    const target = addressPair(packet, 'arp.dst', form);
    if (operation <= 2 && sender !== '' && sender === target) {
      packet.derived('arp.isgratuitous', true, packet.layer.start);
      if (operation === 1) packet.derived('arp.isannouncement', true, packet.layer.start);
    }
    packet.limit(0);
  },
};

interface AddressForm {
  readonly hardware: number;
  readonly protocol: number;
  readonly hardwareSize: number;
  readonly protocolSize: number;
}

function addressPair(packet: PacketReader, side: string, form: AddressForm): string {
  if (form.hardware === 1 && form.hardwareSize === 6) packet.mac(`${side}.hw_mac`);
  else if (form.hardwareSize > 0) packet.raw(`${side}.hw`, form.hardwareSize);
  if (form.protocol === etherType.ipv4 && form.protocolSize === 4) {
    return packet.ipv4(`${side}.proto_ipv4`);
  }
  if (form.protocolSize > 0) packet.raw(`${side}.proto`, form.protocolSize);
  return '';
}

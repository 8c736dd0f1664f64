import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { dnsClass, dnsTypeNames, resourceRecord } from './dns-record.ts';
import { dnsName } from './dns-name.ts';
import { names } from './names.ts';

// iana.org/assignments/dns-parameters.
const opcodes = names({
  0: 'Standard query',
  1: 'Inverse query',
  2: 'Server status request',
  4: 'Zone change notification',
  5: 'Dynamic update',
});
const responseCodes = names({
  0: 'No error',
  1: 'Format error',
  2: 'Server failure',
  3: 'No such name',
  4: 'Not implemented',
  5: 'Refused',
  6: 'Name exists',
  7: 'RRset exists',
  8: 'RRset does not exist',
  9: 'Not authoritative',
  10: 'Name out of zone',
});

/** DNS over UDP, RFC 1035 4.1; the same message form serves multicast DNS (RFC 6762). */
export const dns: LayerDefinition = {
  protocol: 'dns',
  announcedBy: { 'udp.port': [53] },
  dissect: (packet) => message(packet, false),
};

/** Multicast DNS. */
export const mdns: LayerDefinition = {
  protocol: 'mdns',
  announcedBy: { 'udp.port': [5353] },
  dissect: (packet) => message(packet, true),
};

/** DNS over TCP: each message behind its 16-bit length, RFC 1035 4.2.2. */
export const dnsOverTcp: LayerDefinition = {
  protocol: 'dns',
  announcedBy: { 'tcp.port': [53] },
  dissect(packet) {
    while (packet.remaining > 0) {
      const length = packet.u16('dns.length');
      packet.message(length, () => message(packet, false));
    }
  },
};

function message(packet: PacketReader, isMulticast: boolean): void {
  const start = packet.at;
  packet.u16('dns.id');
  flags(packet);
  const questions = packet.u16('dns.count.queries');
  const answers = packet.u16('dns.count.answers');
  const authorities = packet.u16('dns.count.auth_rr');
  const additional = packet.u16('dns.count.add_rr');
  for (let index = 0; index < questions; index++) question(packet, start, isMulticast);
  const records = answers + authorities + additional;
  for (let index = 0; index < records; index++) resourceRecord(packet, start, isMulticast);
}

function flags(packet: PacketReader): void {
  const at = packet.at;
  packet.u16('dns.flags');
  const isResponse = packet.flag('dns.flags.response', at, 0);
  packet.bits('dns.flags.opcode', at, 1, 4, opcodes);
  if (isResponse) packet.flag('dns.flags.authoritative', at, 5);
  packet.flag('dns.flags.truncated', at, 6);
  packet.flag('dns.flags.recdesired', at, 7);
  if (isResponse) packet.flag('dns.flags.recavail', at + 1, 0);
  packet.flag('dns.flags.z', at + 1, 1);
  packet.flag('dns.flags.authenticated', at + 1, 2);
  packet.flag('dns.flags.checkdisable', at + 1, 3);
  if (isResponse) packet.bits('dns.flags.rcode', at + 1, 4, 4, responseCodes);
}

function question(packet: PacketReader, start: number, isMulticast: boolean): void {
  const at = packet.at;
  const name = dnsName(packet, 'dns.qry.name', start);
  packet.derived('dns.qry.name.len', name.length, at);
  packet.derived('dns.count.labels', name.labels, at);
  packet.u16('dns.qry.type', dnsTypeNames);
  dnsClass(packet, 'dns.qry.class', isMulticast ? 'dns.qry.qu' : undefined);
}

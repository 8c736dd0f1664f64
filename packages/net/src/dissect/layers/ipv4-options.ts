import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';

// iana.org/assignments/ip-parameters, numbers with the copy bit and the class.
const optionTypes = names({
  0: 'End of Options List (EOL)',
  1: 'No-Operation (NOP)',
  7: 'Record Route',
  68: 'Time Stamp',
  130: 'Security',
  131: 'Loose Source Route',
  136: 'Stream ID',
  137: 'Strict Source Route',
  148: 'Router Alert',
});
const routeOptions: ReadonlySet<number> = new Set([7, 131, 137]);
const classes = names({ 0: 'Control', 2: 'Debugging and measurement' });

/** The options of an IPv4 header: one type byte, and for all but two of them a length and data. */
export function ipv4Options(packet: PacketReader, length: number): void {
  packet.region(length, () => {
    while (packet.remaining > 0) {
      const type = optionType(packet);
      if (type === 0) return;
      if (type !== 1) optionBody(packet, type);
    }
  });
}

function optionType(packet: PacketReader): number {
  const at = packet.at;
  const type = packet.u8('ip.opt.type', optionTypes);
  packet.flag('ip.opt.type.copy', at, 0);
  packet.bits('ip.opt.type.class', at, 1, 2, classes);
  packet.bits('ip.opt.type.number', at, 3, 5, () => optionTypes(type));
  return type;
}

function optionBody(packet: PacketReader, type: number): void {
  const length = packet.u8('ip.opt.len');
  if (length < 2) packet.malformed(`an option length of 2 or more instead of ${length}`);
  const end = packet.at + length - 2;
  packet.need(length - 2);
  if (type === 148 && length === 4) packet.u16('ip.opt.ra');
  else if (routeOptions.has(type)) routeOption(packet, end);
  else if (type === 68) timestampOption(packet, end);
  else if (length > 2) packet.raw('ip.opt.data', end - packet.at);
  packet.skip(end - packet.at);
}

/** Slots from the pointer on, which counts from the option's first byte as 1, are still empty. */
function routeOption(packet: PacketReader, end: number): void {
  const start = packet.at - 2;
  if (packet.at === end) return;
  const pointer = packet.u8('ip.opt.ptr');
  while (packet.at + 4 <= end) {
    packet.ipv4(packet.at - start + 1 < pointer ? 'ip.rec_rt' : 'ip.empty_rt');
  }
}

function timestampOption(packet: PacketReader, end: number): void {
  if (packet.at + 2 > end) return;
  packet.u8('ip.opt.ptr');
  const at = packet.at;
  packet.bits('ip.opt.overflow', at, 0, 4);
  const form = packet.bits('ip.opt.flag', at, 4, 4);
  packet.skip(1);
  const entry = form === 0 ? 4 : 8;
  while (packet.at + entry <= end) {
    if (entry === 8) packet.ipv4('ip.opt.time_stamp_addr');
    packet.u32('ip.opt.time_stamp');
  }
}

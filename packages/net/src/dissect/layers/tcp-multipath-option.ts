import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';

// RFC 8684 table 2.
const subtypes = names({
  0: 'Multipath Capable',
  1: 'Join Connection',
  2: 'Data Sequence Signal',
  3: 'Add Address',
  4: 'Remove Address',
  5: 'Change Subflow Priority',
  6: 'TCP Fallback',
  7: 'Fast Close',
  8: 'Reset Subflow',
});

/** The Multipath TCP option: subtype in the first four bits, the rest as bytes. */
export function multipathOption(packet: PacketReader, length: number): void {
  packet.bits('tcp.options.mptcp.subtype', packet.at, 0, 4, subtypes);
  if (packet.peek8(0) >> 4 === 0) packet.bits('tcp.options.mptcp.version', packet.at, 4, 4);
  packet.skip(1);
  if (length > 1) packet.raw('tcp.options.mptcp.data', length - 1);
}

import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';

// iana.org/assignments/sctp-parameters.
export const sctpChunkNames = names({
  0: 'DATA',
  1: 'INIT',
  2: 'INIT_ACK',
  3: 'SACK',
  4: 'HEARTBEAT',
  5: 'HEARTBEAT_ACK',
  6: 'ABORT',
  7: 'SHUTDOWN',
  8: 'SHUTDOWN_ACK',
  9: 'ERROR',
  10: 'COOKIE_ECHO',
  11: 'COOKIE_ACK',
  14: 'SHUTDOWN_COMPLETE',
  64: 'I_DATA',
  192: 'FORWARD_TSN',
});
const parameterTypes = names({
  1: 'Heartbeat info',
  5: 'IPv4 address',
  6: 'IPv6 address',
  7: 'State cookie',
  9: 'Cookie preservative',
  11: 'Hostname address',
  12: 'Supported address types',
  0x8002: 'Random',
  0x8003: 'Authentication Chunk list',
  0x8004: 'Requested HMAC Algorithm',
  0x8008: 'Supported Extensions',
  0xc000: 'Forward TSN supported',
});

type ChunkReader = (packet: PacketReader, start: number) => void;

const readers: Readonly<Record<number, ChunkReader>> = {
  0: dataChunk,
  1: (packet) => init(packet, 'sctp.init'),
  2: (packet) => init(packet, 'sctp.initack'),
  3: selectiveAcknowledgment,
  4: parameters,
  5: parameters,
  7: (packet) => packet.u32('sctp.shutdown_cumulative_tsn_ack'),
  8: () => undefined,
  10: (packet) => packet.raw('sctp.cookie', packet.remaining),
  11: () => undefined,
  14: (packet, start) => packet.flag('sctp.shutdown_complete_t_bit', start + 1, 7),
};

/** The value of one chunk; unknown ones become `sctp.chunk_value`. */
export function sctpChunkBody(packet: PacketReader, type: number, start: number): void {
  const read = readers[type];
  if (read !== undefined) read(packet, start);
  else if (packet.remaining > 0) packet.raw('sctp.chunk_value', packet.remaining);
}

function dataChunk(packet: PacketReader, start: number): void {
  packet.flag('sctp.data_i_bit', start + 1, 4);
  packet.flag('sctp.data_u_bit', start + 1, 5);
  packet.flag('sctp.data_b_bit', start + 1, 6);
  packet.flag('sctp.data_e_bit', start + 1, 7);
  packet.u32('sctp.data_tsn_raw');
  packet.u16('sctp.data_sid');
  packet.u16('sctp.data_ssn');
  packet.u32('sctp.data_payload_proto_id');
  if (packet.remaining > 0) packet.raw('data.data', packet.remaining);
}

function init(packet: PacketReader, prefix: string): void {
  packet.u32(`${prefix}_initiate_tag`);
  packet.u32(`${prefix}_credit`);
  packet.u16(`${prefix}_nr_out_streams`);
  packet.u16(`${prefix}_nr_in_streams`);
  packet.u32(`${prefix}_initial_tsn`);
  parameters(packet);
}

function selectiveAcknowledgment(packet: PacketReader): void {
  packet.u32('sctp.sack_cumulative_tsn_ack_raw');
  packet.u32('sctp.sack_a_rwnd');
  const gaps = packet.u16('sctp.sack_number_of_gap_blocks');
  const duplicates = packet.u16('sctp.sack_number_of_duplicated_tsns');
  for (let gap = 0; gap < gaps; gap++) {
    packet.u16('sctp.sack_gap_block_start');
    packet.u16('sctp.sack_gap_block_end');
  }
  for (let index = 0; index < duplicates; index++) packet.u32('sctp.sack_duplicate_tsn');
}

function parameters(packet: PacketReader): void {
  while (packet.remaining > 0) parameter(packet);
}

function parameter(packet: PacketReader): void {
  const at = packet.at;
  const type = packet.u16('sctp.parameter_type', parameterTypes);
  packet.flag('sctp.parameter_bit_1', at, 0);
  packet.flag('sctp.parameter_bit_2', at, 1);
  const length = packet.u16('sctp.parameter_length');
  if (length < 4) packet.malformed(`a parameter length of 4 or more instead of ${length}`);
  packet.region(length - 4, () => parameterValue(packet, type));
  const padding = Math.min(-length & 3, packet.remaining);
  if (padding > 0) packet.raw('sctp.parameter_padding', padding);
}

function parameterValue(packet: PacketReader, type: number): void {
  if (type === 5) packet.ipv4('sctp.parameter_ipv4_address');
  else if (type === 6) packet.ipv6('sctp.parameter_ipv6_address');
  else if (type === 7) packet.raw('sctp.parameter_state_cookie', packet.remaining);
  else if (type === 1) packet.raw('sctp.parameter_heartbeat_information', packet.remaining);
  else if (type === 12) {
    while (packet.remaining >= 2) packet.u16('sctp.parameter_supported_address_type');
  } else if (type === 0x8008) {
    while (packet.remaining > 0) packet.u8('sctp.supported_chunk_type', sctpChunkNames);
  } else if (packet.remaining > 0) packet.raw('sctp.parameter_value', packet.remaining);
}

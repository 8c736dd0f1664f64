import type { PacketReader } from '../packet-reader.ts';
import { multipathOption } from './tcp-multipath-option.ts';
import { names } from './names.ts';

// iana.org/assignments/tcp-parameters.
const kinds = names({
  0: 'End of Option List',
  1: 'No-Operation',
  2: 'Maximum Segment Size',
  3: 'Window Scale',
  4: 'SACK Permitted',
  5: 'SACK',
  6: 'Echo',
  7: 'Echo Reply',
  8: 'Timestamps',
  14: 'Alternate Checksum Request',
  19: 'MD5 Signature',
  27: 'Quick-Start Response',
  28: 'User Timeout',
  29: 'TCP Authentication',
  30: 'Multipath TCP',
  34: 'Fast Open Cookie',
  69: 'Encryption Negotiation',
  172: 'Accurate ECN Order 0',
  174: 'Accurate ECN Order 1',
  253: 'Experiment 1',
  254: 'Experiment 2',
});

type OptionReader = (packet: PacketReader, dataLength: number) => void;

// Kind → the data behind kind and length. One entry per option that has fields of its own.
const readers: Readonly<Record<number, OptionReader>> = {
  2: (packet) => packet.u16('tcp.options.mss_val'),
  3: windowScale,
  5: selectiveAcknowledgment,
  6: (packet) => packet.u32('tcp.options.echo_value'),
  7: (packet) => packet.u32('tcp.options.echo_value'),
  8: timestamps,
  19: (packet, length) => packet.raw('tcp.options.md5.digest', length),
  27: quickStart,
  28: userTimeout,
  29: authentication,
  30: multipathOption,
  34: fastOpen,
  253: experiment,
  254: experiment,
};

/**
 * All options of a TCP header. A wrong length ends the options, not the segment.
 *
 *     | kind 0 or 1 |    or    | kind | length, both bytes included | data ...
 */
export function tcpOptions(packet: PacketReader, length: number): void {
  packet.need(length);
  const end = packet.at + length;
  packet.span('tcp.options', packet.bytes.subarray(packet.at, end), packet.at, end);
  packet.region(length, () => {
    while (packet.remaining > 0) {
      const kind = packet.u8('tcp.option_kind', kinds);
      if (kind === 0) return;
      if (kind !== 1) optionBody(packet, kind);
    }
  });
}

function optionBody(packet: PacketReader, kind: number): void {
  const length = packet.u8('tcp.option_len');
  if (length < 2) packet.malformed(`an option length of 2 or more instead of ${length}`);
  const end = packet.at + length - 2;
  packet.need(length - 2);
  const read = readers[kind];
  if (read !== undefined) read(packet, length - 2);
  else if (length > 2) packet.raw('tcp.options.unknown.payload', length - 2);
  if (packet.at !== end) packet.at = end;
}

function windowScale(packet: PacketReader): void {
  const shift = packet.u8('tcp.options.wscale.shift');
  // RFC 7323 2.3: values above 14 count as 14.
  packet.span('tcp.options.wscale.multiplier', 1 << Math.min(shift, 14), packet.at - 1);
}

function selectiveAcknowledgment(packet: PacketReader, length: number): void {
  const blocks = length >> 3;
  for (let block = 0; block < blocks; block++) {
    packet.u32('tcp.options.sack_le');
    packet.u32('tcp.options.sack_re');
  }
  packet.derived('tcp.options.sack.count', blocks);
}

function timestamps(packet: PacketReader): void {
  packet.u32('tcp.options.timestamp.tsval');
  packet.u32('tcp.options.timestamp.tsecr');
}

function quickStart(packet: PacketReader): void {
  packet.bits('tcp.options.qs.rate', packet.at, 4, 4);
  packet.skip(1);
  packet.u8('tcp.options.qs.ttl_diff');
}

function userTimeout(packet: PacketReader): void {
  packet.flag('tcp.options.user_to_granularity', packet.at, 0);
  packet.bits('tcp.options.user_to_val', packet.at, 1, 15);
}

function authentication(packet: PacketReader, length: number): void {
  packet.u8('tcp.options.ao.keyid');
  packet.u8('tcp.options.ao.rnextkeyid');
  if (length > 2) packet.raw('tcp.options.ao.mac', length - 2);
}

function fastOpen(packet: PacketReader, length: number): void {
  if (length === 0) packet.derived('tcp.options.tfo.request', true);
  else packet.raw('tcp.options.tfo.cookie', length);
}

function experiment(packet: PacketReader, length: number): void {
  packet.u16('tcp.options.experimental.exid');
  if (length > 2) packet.raw('tcp.options.experimental.data', length - 2);
}

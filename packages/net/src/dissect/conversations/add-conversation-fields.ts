import { Field, type FieldValue } from '../field.ts';
import type { Layer } from '../layer.ts';
import type { TcpSegmentNote } from './tcp-segment-note.ts';
import type { TcpMark } from './tcp-side.ts';

/** Wireshark's names for what is remarkable about a segment. */
const markFields: Readonly<Record<TcpMark, string>> = {
  'previous segment missing': 'tcp.analysis.lost_segment',
  'out of order': 'tcp.analysis.out_of_order',
  retransmission: 'tcp.analysis.retransmission',
  'fast retransmission': 'tcp.analysis.fast_retransmission',
  'spurious retransmission': 'tcp.analysis.spurious_retransmission',
  'keep-alive': 'tcp.analysis.keep_alive',
  'keep-alive ACK': 'tcp.analysis.keep_alive_ack',
  'duplicate ACK': 'tcp.analysis.duplicate_ack',
  'window update': 'tcp.analysis.window_update',
  'zero window': 'tcp.analysis.zero_window',
  'zero window probe': 'tcp.analysis.zero_window_probe',
};

/**
 * Adds to a packet's TCP layer what only its connection knows: relative numbers (`tcp.seq`,
 * `tcp.ack`), the scaled window (`tcp.window_size`), the round trip in seconds
 * (`tcp.analysis.ack_rtt`) and the marks (`tcp.analysis.retransmission`). Packets without a TCP
 * layer stay as they are.
 *
 * @example
 * ```ts
 * const path = { source: '10.0.0.1', destination: '10.0.0.2' };
 * const segment = { sourcePort: 40000, destinationPort: 80, sequence: 1000, flags: tcpFlag.syn };
 * const buffer = ipPacket({ ...path, protocol: 6, payload: tcpSegment(path, segment) });
 * const { layers } = createDissector()(buffer, { linkType: linkType.raw });
 * const packet = { buffer, linkType: linkType.raw, seconds: 0, nanoseconds: 0 };
 * const note = new ConversationTracker().push(packet)?.segment;
 * if (note !== undefined) addConversationFields(layers, note);
 * assert.equal(layers.at(-1)?.value('tcp.seq'), 0);
 * ```
 */
export function addConversationFields(layers: readonly Layer[], note: TcpSegmentNote): void {
  const layer = layers.find(({ protocol }) => protocol === 'tcp');
  if (layer === undefined) return;
  // The bits are those of the field that the value belongs to.
  const add = (name: string, value: FieldValue, of: string): void => {
    const raw = layer.field(of);
    const at = layer.start * 8;
    layer.fields.push(new Field(name, value, raw?.start ?? at, raw?.end ?? at, undefined));
  };
  add('tcp.seq', note.sequence.relative, 'tcp.seq_raw');
  if (note.acknowledgment !== undefined) {
    add('tcp.ack', note.acknowledgment.relative, 'tcp.ack_raw');
  }
  add('tcp.window_size', note.window, 'tcp.window_size_value');
  if (note.rttNs !== undefined) add('tcp.analysis.ack_rtt', note.rttNs / 1e9, '');
  if (note.acknowledges !== undefined) add('tcp.analysis.acks_frame', note.acknowledges, '');
  for (const mark of note.marks) add(markFields[mark], true, '');
}

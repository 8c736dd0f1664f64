import { escapeText } from '../text/escape-text.ts';
import type { SequenceNumber, TcpSegmentNote } from './tcp-segment-note.ts';

/**
 * A segment in one line: `SYN seq 0 (1000)`, `PSH+ACK seq 1 (1001) ack 1 (9001) len 5 "hello"`,
 * sequence numbers relative and, in brackets, as on the wire. Text from the packet is escaped.
 */
export function segmentLabel(note: TcpSegmentNote): string {
  const parts = [note.flags, `seq ${numberText(note.sequence)}`];
  if (note.acknowledgment !== undefined) parts.push(`ack ${numberText(note.acknowledgment)}`);
  if (note.length > 0) parts.push(`len ${note.length}`);
  if (note.preview !== undefined) parts.push(`"${escapeText(note.preview)}"`);
  if (note.marks.length > 0) parts.push(`[${note.marks.join(', ')}]`);
  return parts.join(' ');
}

function numberText({ relative, absolute }: SequenceNumber): string {
  return `${relative} (${absolute})`;
}

import { escapeText } from '../text/escape-text.ts';
import type { SequenceNumber, TcpSegmentNote } from './tcp-conversation.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
// A character that the preview's end cut has up to three bytes left of it.
const maxCutBytes = 3;

/**
 * A segment in one line: `SYN seq 0 (1000)`, `PSH+ACK seq 1 (1001) ack 1 (9001) len 5 "hello"`,
 * sequence numbers relative and, in brackets, as on the wire. Text from the packet is escaped.
 */
export function segmentLabel(note: TcpSegmentNote): string {
  const parts = [note.flags, `seq ${numberText(note.sequence)}`];
  if (note.acknowledgment !== undefined) parts.push(`ack ${numberText(note.acknowledgment)}`);
  if (note.length > 0) parts.push(`len ${note.length}`);
  const preview = previewText(note.preview, note.length);
  if (preview !== undefined) parts.push(preview);
  if (note.marks.length > 0) parts.push(`[${note.marks.join(', ')}]`);
  return parts.join(' ');
}

function numberText({ relative, absolute }: SequenceNumber): string {
  return `${relative} (${absolute})`;
}

/** The payload's beginning in quotes when it is text, undefined when it is not. */
function previewText(preview: Uint8Array, length: number): string | undefined {
  if (preview.length === 0) return undefined;
  const isCut = preview.length < length;
  for (let cut = 0; cut <= (isCut ? maxCutBytes : 0); cut++) {
    const text = decoded(preview.subarray(0, preview.length - cut));
    if (text !== undefined) return `"${escapeText(text)}${isCut ? '…' : ''}"`;
  }
  return undefined;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

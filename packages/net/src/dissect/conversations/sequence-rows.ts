import { nanosecondsBetween, type Side } from './conversation-types.ts';
import { segmentLabel } from './segment-label.ts';
import type { TcpConversation } from './tcp-conversation.ts';
import type { TcpSegmentNote } from './tcp-segment-note.ts';

/** A row of a sequence diagram. */
export type SequenceRow =
  | {
      readonly type: 'segment';
      /** Seconds since the first segment, with microseconds. */
      readonly time: string;
      readonly from: Side;
      readonly label: string;
      readonly hasMarks: boolean;
    }
  | { readonly type: 'states'; readonly client: string; readonly server: string }
  | { readonly type: 'omitted'; readonly label: string };

/** What both forms of the diagram show: the segments, and the states where they change. */
export function sequenceRows(conversation: TcpConversation): SequenceRow[] {
  const { segments } = conversation;
  const rows: SequenceRow[] = [];
  let shown = '';
  const add = (note: TcpSegmentNote): void => {
    rows.push(segmentRow(conversation, note));
    const { client, server } = note.states;
    if (shown !== `${client} ${server}`) rows.push({ type: 'states', client, server });
    shown = `${client} ${server}`;
  };
  segments.first.forEach(add);
  if (segments.omitted > 0) {
    rows.push({ type: 'omitted', label: `${segments.omitted} segments not shown` });
  }
  segments.last.forEach(add);
  return rows;
}

function segmentRow(conversation: TcpConversation, note: TcpSegmentNote): SequenceRow {
  const ns = nanosecondsBetween(conversation.start, note.time);
  const time = (ns / 1e9).toFixed(6);
  const label = segmentLabel(note);
  return { type: 'segment', time, from: note.from, label, hasMarks: note.marks.length > 0 };
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function endpointText({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

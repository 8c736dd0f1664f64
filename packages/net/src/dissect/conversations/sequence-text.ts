import { displayWidth, fitText } from '../text/display-width.ts';
import { endpointText, type SequenceRow, sequenceRows } from './sequence-rows.ts';
import type { TcpConversation } from './tcp-conversation.ts';

/** How the diagram is drawn in a terminal. */
export interface SequenceTextOptions {
  /** Columns of the terminal; default 100, at least 40. */
  readonly columns?: number;
  /** Only ASCII for lines and arrows; default false. */
  readonly ascii?: boolean;
}

interface Signs {
  readonly line: string;
  readonly dash: string;
  readonly right: string;
  readonly left: string;
}

const unicodeSigns: Signs = { line: '│', dash: '─', right: '▶', left: '◀' };
const asciiSigns: Signs = { line: '|', dash: '-', right: '>', left: '<' };
const timeColumns = 12;
const minColumns = 40;

/**
 * A TCP connection as a sequence diagram in text: client left, server right, one arrow a segment,
 * the states of RFC 9293 below it where they change. Ends with a newline.
 *
 * Lines are as wide as `columns` whatever characters the payload has, and nothing from a packet can
 * act on the terminal.
 *
 * @example
 * ```ts
 * const tracker = new ConversationTracker();
 * const path = { source: '10.0.0.1', destination: '10.0.0.2' };
 * const segment = { sourcePort: 40000, destinationPort: 80, sequence: 1000, flags: tcpFlag.syn };
 * const buffer = ipPacket({ ...path, protocol: 6, payload: tcpSegment(path, segment) });
 * const event = tracker.push({ buffer, linkType: linkType.raw, seconds: 0, nanoseconds: 0 });
 * if (event?.conversation.type === 'tcp') {
 *   assert.match(sequenceText(event.conversation), /─ SYN seq 0 \(1000\) ─+▶/);
 * }
 * ```
 */
export function sequenceText(
  conversation: TcpConversation,
  options: SequenceTextOptions = {},
): string {
  const columns = Math.max(minColumns, options.columns ?? 100);
  const inner = columns - timeColumns - 2;
  const signs = options.ascii === true ? asciiSigns : unicodeSigns;
  const client = endpointText(conversation.client);
  const server = endpointText(conversation.server);
  const heading = ' '.repeat(timeColumns) + spread(client, server, columns - timeColumns);
  const rows = sequenceRows(conversation).map((row) => rowText(row, inner, signs));
  return `${[heading, ...rows].join('\n')}\n`;
}

function rowText(row: SequenceRow, inner: number, signs: Signs): string {
  const between = (content: string): string => `${signs.line}${content}${signs.line}`;
  const indent = ' '.repeat(timeColumns);
  if (row.type === 'segment') {
    return `${row.time.padStart(timeColumns - 1)} ${between(arrow(row, inner, signs))}`;
  }
  if (row.type === 'states') {
    return indent + between(` ${spread(row.client, row.server, inner - 2)} `);
  }
  const dots = signs === asciiSigns ? '...' : '…';
  return indent + between(padTo(fitText(`  ${dots} ${row.label}`, inner), inner));
}

/** `─ label ────▶` or `◀─ label ────`. */
function arrow(
  row: Extract<SequenceRow, { type: 'segment' }>,
  inner: number,
  { dash, left, right }: Signs,
): string {
  const label = fitText(row.label, inner - 5);
  const dashes = dash.repeat(Math.max(0, inner - 4 - displayWidth(label)));
  return row.from === 'client'
    ? `${dash} ${label} ${dashes}${right}`
    : `${left}${dash} ${label} ${dashes}`;
}

function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** One text at each end of the line; the left one gives way. */
function spread(left: string, right: string, columns: number): string {
  const shown = fitText(left, Math.max(0, columns - displayWidth(right) - 1));
  return padTo(shown, columns - displayWidth(right)) + right;
}

import { endpointText, type SequenceRow, sequenceRows } from './sequence-rows.ts';
import type { TcpConversation } from './tcp-conversation.ts';

/** How the picture is drawn. */
export interface SequenceSvgOptions {
  /** Pixels; default 900, at least 480. */
  readonly width?: number;
}

// Pixels, chosen by eye.
const rowHeight = 30;
const headHeight = 56;
const margin = 110;
const slope = 8;
const minWidth = 480;

/**
 * A TCP connection as a sequence diagram: an SVG document without scripts, styles of others or
 * references, all text from packets escaped. Light and dark follow the viewer's preference.
 *
 * @example
 * ```ts
 * const tracker = new ConversationTracker();
 * const path = { source: '10.0.0.1', destination: '10.0.0.2' };
 * const segment = { sourcePort: 40000, destinationPort: 80, sequence: 1000, flags: tcpFlag.syn };
 * const buffer = ipPacket({ ...path, protocol: 6, payload: tcpSegment(path, segment) });
 * const event = tracker.push({ buffer, linkType: linkType.raw, seconds: 0, nanoseconds: 0 });
 * if (event?.conversation.type === 'tcp') {
 *   assert.match(sequenceSvg(event.conversation), />SYN seq 0 \(1000\)</);
 * }
 * ```
 */
export function sequenceSvg(
  conversation: TcpConversation,
  options: SequenceSvgOptions = {},
): string {
  const width = Math.max(minWidth, Math.floor(options.width ?? 900));
  const rows = sequenceRows(conversation);
  const height = headHeight + rows.length * rowHeight + 20;
  const right = width - margin;
  const title = `${endpointText(conversation.client)} and ${endpointText(conversation.server)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(`TCP between ${title}`)}</title>`,
    style,
    marker,
    text(margin, 22, endpointText(conversation.client), 'end-point'),
    text(right, 22, endpointText(conversation.server), 'end-point'),
    `<path class="life" d="M${margin} 34V${height - 10}M${right} 34V${height - 10}"/>`,
    ...rows.map((row, index) => rowSvg(row, headHeight + index * rowHeight, right)),
    '</svg>\n',
  ].join('\n');
}

const style =
  '<style>text{font:12px ui-monospace,monospace;text-anchor:middle;fill:#222}' +
  '.end-point{font-weight:bold}.state{fill:#666}.time{fill:#666;text-anchor:end}' +
  'path{fill:none;stroke:#446}.life{stroke:#bbb}.marked{fill:#b00}path.marked{stroke:#b00;fill:none}' +
  '@media(prefers-color-scheme:dark){text{fill:#ddd}.state,.time{fill:#999}path{stroke:#9ac}.life{stroke:#555}.marked{fill:#f77}path.marked{stroke:#f77}}' +
  '</style>';

const marker =
  '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8"/></marker></defs>';

function rowSvg(row: SequenceRow, y: number, right: number): string {
  if (row.type === 'segment') return segmentSvg(row, y, right);
  if (row.type === 'omitted') return text((margin + right) / 2, y, `… ${row.label}`, 'state');
  return text(margin, y, row.client, 'state') + text(right, y, row.server, 'state');
}

function segmentSvg(
  row: Extract<SequenceRow, { type: 'segment' }>,
  y: number,
  right: number,
): string {
  const [from, to] = row.from === 'client' ? [margin, right] : [right, margin];
  const kind = row.hasMarks ? 'marked' : 'segment';
  return (
    text(margin - 12, y + 4, `${row.time} s`, 'time') +
    `<path class="${kind}" marker-end="url(#arrow)" d="M${from} ${y}L${to} ${y + slope}"/>` +
    text((margin + right) / 2, y - 3, row.label, kind)
  );
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text x="${x}" y="${y}" class="${kind}">${escapeXml(content)}</text>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeXml(content: string): string {
  return content.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

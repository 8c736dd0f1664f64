import type { ListedSocket } from '@sockeye/net/capture';
import { displayWidth, escapeText } from '@sockeye/net/dissect';

const HEADINGS = ['TYPE', 'STATE', 'RECV-Q', 'SEND-Q', 'LOCAL', 'PEER', 'PROCESS', 'TCP'];

/** Sockets as a table: one line each, columns as wide as their widest value. */
export function socketTable(sockets: readonly ListedSocket[]): string {
  const rows = [HEADINGS, ...sockets.map(rowOf)];
  const widths = HEADINGS.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, displayWidth(row[column] ?? '')), 0),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function rowOf(socket: ListedSocket): string[] {
  const { family, type } = socket;
  const kind = family === 'inet' ? type : family === 'inet6' ? `${type}6` : `${family} ${type}`;
  const owners = socket.owners.map(({ pid, process }) => `${process} (${pid})`);
  return [
    kind,
    socket.state,
    String(socket.receiveQueue),
    String(socket.sendQueue),
    socket.local,
    socket.peer,
    owners.join(', '),
    tcpText(socket),
  ].map((cell) => escapeText(cell));
}

function tcpText({ tcpInfo, state, congestionControl = '' }: ListedSocket): string {
  if (tcpInfo === undefined || state === 'LISTEN' || tcpInfo.rttUs === 0) return '';
  const { rttUs, rttvarUs, sndCwndSegments, sndWndBytes, totalRetransSegments } = tcpInfo;
  return [
    congestionControl,
    `rtt ${(rttUs / 1000).toFixed(3)}±${(rttvarUs / 1000).toFixed(3)} ms`,
    `cwnd ${sndCwndSegments}`,
    sndWndBytes === undefined ? '' : `window ${sndWndBytes}`,
    `retransmitted ${totalRetransSegments}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

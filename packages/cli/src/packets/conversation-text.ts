import {
  type Conversation,
  escapeText,
  type Side,
  type TcpConversation,
  type TcpSegmentNote,
} from '@sockeye/net/dissect';
import { counted } from '../text/counted.ts';
import { endpointText } from './conversation-object.ts';
import { secondsBetween } from './packet-time.ts';

/** A conversation in a few lines: who with whom, how much, how it opened and closed. */
export function conversationText(conversation: Conversation, number: number): string {
  const { type, client, server, start, end } = conversation;
  const head =
    `${number} ${type.toUpperCase()} ${endpointText(client)} → ${endpointText(server)}, ` +
    `${secondsBetween(start, end)} s`;
  return [head, ...details(conversation).map((line) => `    ${line}`)].join('\n');
}

function details(conversation: Conversation): string[] {
  if (conversation.type === 'udp') {
    return sidesText(['client', 'server'], (side) => {
      const { packets, bytes } = conversation.sides[side];
      return `${counted(packets, 'datagram')}, ${counted(bytes, 'byte')}`;
    });
  }
  if (conversation.type === 'icmp') {
    const { requests, replies, roundTrips } = conversation;
    const rtt = roundTrips.count === 0 ? '' : `, rtt ${milliseconds(roundTrips.meanNs)} on average`;
    return [`${counted(requests, 'request')}, ${counted(replies, 'reply', 'replies')}${rtt}`];
  }
  return tcpDetails(conversation);
}

function tcpDetails(conversation: TcpConversation): string[] {
  const { handshake, close, sides, state } = conversation;
  const opening =
    handshake === undefined
      ? ['opened before the capture began']
      : [
          `handshake${handshake.rttNs === undefined ? ', not complete' : `, rtt ${milliseconds(handshake.rttNs)}`}`,
          ...[handshake.syn, handshake.synAck, handshake.ack].flatMap(stepText),
        ];
  const closing =
    close === undefined
      ? ['open']
      : [
          `closed by the ${close.by} with ${close.how}${close.isComplete ? '' : ', not complete'}`,
          ...close.steps.flatMap(stepText),
        ];
  return [
    ...opening,
    ...sidesText(['client', 'server'], (side) => trafficText(sides[side])),
    ...closing,
    `states: client ${state.client}, server ${state.server}`,
  ];
}

function stepText(note: TcpSegmentNote | undefined): string[] {
  if (note === undefined) return [];
  const { sequence, acknowledgment: ack } = note;
  const acknowledges = ack === undefined ? '' : ` ack ${ack.relative} (${ack.absolute})`;
  const arrow = note.from === 'client' ? '→' : '←';
  return [
    `  #${note.number} ${arrow} ${note.flags} seq ${sequence.relative} (${sequence.absolute})${acknowledges}`,
  ];
}

function trafficText(side: TcpConversation['sides'][Side]): string {
  const counts: (readonly [number, string, string?])[] = [
    [side.retransmissions, 'retransmission'],
    [side.outOfOrder, 'out of order', 'out of order'],
    [side.duplicateAcks, 'duplicate ACK'],
    [side.zeroWindows, 'zero window'],
    [side.missingSegments, 'missing segment'],
  ];
  const remarks = counts.filter(([count]) => count > 0).map((count) => counted(...count));
  const rtt =
    side.roundTrips.count === 0 ? [] : [`rtt ${milliseconds(side.roundTrips.meanNs)} on average`];
  const traffic = [counted(side.packets, 'segment'), counted(side.bytes, 'byte')];
  return [...traffic, ...remarks, ...rtt].join(', ');
}

function sidesText(sides: readonly Side[], text: (side: Side) => string): string[] {
  return sides.map((side) => `${side}: ${text(side)}`);
}

/** Nanoseconds as they are read: `0.034 ms`. */
function milliseconds(ns: number): string {
  return `${(ns / 1e6).toFixed(3)} ms`;
}

/** A piece of a stream for the terminal: its text, where it is none its bytes. */
export function streamText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text
      .split('\n')
      .map((line) => escapeText(line.replace(/\r$/, '')))
      .join('\n');
  } catch {
    return hexDump(bytes);
  }
}

const BYTES_A_LINE = 16;

/** `00000010  68 65 6c 6c 6f …  hello…`, as hexdump(1) has it. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const part = bytes.subarray(at, at + BYTES_A_LINE);
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = Array.from(part, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
    ).join('');
    lines.push(
      `${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_A_LINE * 3 - 1)}  ${ascii}`,
    );
  }
  return lines.join('\n');
}

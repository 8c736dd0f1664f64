import type { Conversation, Endpoint, TcpConversation, TcpSegmentNote } from '@sockeye/net/dissect';
import { epochText, isoText, secondsBetween } from './packet-time.ts';

/** `192.0.2.1:80`, `[2001:db8::1]:80`; the address alone where there is no port. */
export function endpointText({ address, port }: Endpoint): string {
  if (port === 0) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Nanoseconds as seconds. */
function seconds(ns: number): number {
  return ns / 1e9;
}

function segmentObject(note: TcpSegmentNote): Record<string, unknown> {
  const { rttNs, ...rest } = note;
  return {
    ...rest,
    time: isoText(note.time),
    epoch: Number(epochText(note.time)),
    ...(rttNs === undefined ? {} : { rtt: seconds(rttNs), rttNs }),
  };
}

/**
 * The opening of a TCP connection as `--json` prints it: its segments with absolute and relative
 * numbers; undefined where the capture has no SYN.
 */
export function handshakeObject(
  conversation: TcpConversation,
  number: number,
): Record<string, unknown> | undefined {
  const { handshake } = conversation;
  if (handshake === undefined) return undefined;
  const { syn, synAck, ack, rttNs } = handshake;
  const segments = [syn, synAck, ack].filter((note) => note !== undefined);
  return {
    type: 'handshake',
    conversation: number,
    client: conversation.client,
    server: conversation.server,
    isComplete: ack !== undefined,
    ...(rttNs === undefined ? {} : { rtt: seconds(rttNs), rttNs }),
    segments: segments.map(segmentObject),
  };
}

/** How a TCP connection ended. */
function closeObject(conversation: TcpConversation): Record<string, unknown> | undefined {
  const { close } = conversation;
  return close && { ...close, steps: close.steps.map(segmentObject) };
}

/** A conversation as `--json` prints it. */
export function conversationObject(
  conversation: Conversation,
  number: number,
  options: { readonly segments?: boolean } = {},
): Record<string, unknown> {
  const { type, client, server, start, end } = conversation;
  const common = {
    type: 'conversation',
    conversation: number,
    protocol: type,
    client,
    server,
    start: isoText(start),
    end: isoText(end),
    duration: Number(secondsBetween(start, end)),
  };
  if (type === 'udp') return { ...common, sides: conversation.sides };
  if (type === 'icmp') {
    const { identifier, requests, replies, unanswered, roundTrips } = conversation;
    return {
      ...common,
      identifier,
      requests,
      replies,
      unanswered,
      ...(roundTrips.count === 0 ? {} : { rtt: seconds(roundTrips.meanNs), roundTrips }),
    };
  }
  const handshake = handshakeObject(conversation, number);
  const rttNs = conversation.handshake?.rttNs;
  return {
    ...common,
    state: conversation.state,
    ...(rttNs === undefined ? {} : { rtt: seconds(rttNs), rttNs }),
    ...(handshake === undefined ? {} : { handshake }),
    ...(conversation.close === undefined ? {} : { close: closeObject(conversation) }),
    sides: conversation.sides,
    ...(options.segments === true
      ? {
          segments: [...conversation.segments].map(segmentObject),
          omittedSegments: conversation.segments.omitted,
        }
      : {}),
  };
}

import type { PacketClass } from '../classify.ts';
import { tcpFlag, tcpFlagText } from '../layers/tcp-flags.ts';
import {
  type Endpoint,
  nanosecondsBetween,
  otherSide,
  type PacketTime,
  type Side,
} from './conversation-types.ts';
import { payloadPreview } from './payload-preview.ts';
import { SegmentLog } from './segment-log.ts';
import { serialAdd, serialDistance } from './serial-number.ts';
import { handshakeOptions } from './tcp-handshake-options.ts';
import { type TcpClose, type TcpHandshake, TcpLifecycle } from './tcp-lifecycle.ts';
import type { SequenceNumber, TcpSegmentNote } from './tcp-segment-note.ts';
import { type TcpMark, TcpSide } from './tcp-side.ts';
import { type StateSegment, type TcpState, TcpStates } from './tcp-states.ts';

/** A segment as the tracker hands it over. */
export interface CapturedSegment {
  readonly bytes: Uint8Array;
  /** What `classify()` found in the bytes; read before the next call of it. */
  readonly found: PacketClass;
  readonly from: Side;
  readonly number: number;
  readonly time: PacketTime;
}

/** Who a connection is between, and since when. */
export interface TcpConversationInit {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly start: PacketTime;
  /** Segments remembered, the first and the last half of it. */
  readonly maxSegments: number;
}

/** What one segment's acknowledgment is judged by. */
interface AcknowledgmentContext {
  readonly side: TcpSide;
  readonly peer: TcpSide;
  readonly timeNs: number;
  readonly window: number;
  /** No payload, no SYN, FIN or RST, and where the sender stands. */
  readonly isPure: boolean;
  readonly answersKeepAlive: boolean;
}

const controlFlags = tcpFlag.syn | tcpFlag.fin | tcpFlag.rst;

/** One TCP connection, fed segment by segment. */
export class TcpConversation {
  readonly type = 'tcp';
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly start: PacketTime;
  readonly sides: Readonly<Record<Side, TcpSide>> = {
    client: new TcpSide(),
    server: new TcpSide(),
  };
  readonly segments: SegmentLog<TcpSegmentNote>;
  end: PacketTime;
  readonly #states = new TcpStates();
  readonly #lifecycle = new TcpLifecycle();
  #isStarted = false;

  constructor({ client, server, start, maxSegments }: TcpConversationInit) {
    this.client = client;
    this.server = server;
    this.start = start;
    this.end = start;
    this.segments = new SegmentLog(maxSegments);
  }

  get state(): { readonly client: TcpState; readonly server: TcpState } {
    return { client: this.#states.client, server: this.#states.server };
  }

  /** Absent when the capture began later. */
  get handshake(): TcpHandshake | undefined {
    return this.#lifecycle.handshake;
  }

  /** Absent while the connection is open. */
  get close(): TcpClose | undefined {
    return this.#lifecycle.close;
  }

  /** Whether both ends are done, so that the same addresses may begin another connection. */
  get isOver(): boolean {
    const { client, server } = this.#states;
    const over: readonly TcpState[] = ['CLOSED', 'TIME-WAIT'];
    return this.#isStarted && over.includes(client) && over.includes(server);
  }

  add(segment: CapturedSegment): TcpSegmentNote {
    const { found, from } = segment;
    this.end = segment.time;
    this.#begin(found.flags);
    const { flags, acknowledgment, sequence } = found;
    if ((flags & tcpFlag.syn) !== 0) this.#readOptions(segment);
    const end = serialAdd(sequence, sequenceSpan(found));
    const marks: TcpMark[] = [];
    const answer = this.#account(segment, marks);
    const moved: StateSegment = { from, flags, acknowledgment, end };
    this.#states.apply(moved);
    const step = this.#lifecycle.step(moved);
    const note = {
      ...this.#note(segment, marks),
      ...(answer === undefined ? {} : { rttNs: answer.ns, acknowledges: answer.number }),
      ...(step === undefined ? {} : { step }),
    };
    this.#lifecycle.remember(note);
    this.segments.add(note);
    return note;
  }

  #begin(flags: number): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if ((flags & (tcpFlag.syn | tcpFlag.rst)) === 0) this.#states.assumeEstablished();
  }

  #readOptions({ bytes, found, from }: CapturedSegment): void {
    const options = handshakeOptions(bytes, found);
    this.sides[from].windowShift = options.windowShift;
    this.sides[from].maximumSegment = options.maximumSegment;
  }

  /** Books the segment with its sender and its acknowledgment with the peer; gives the round trip. */
  #account(segment: CapturedSegment, marks: TcpMark[]): { ns: number; number: number } | undefined {
    const { found, from, number, time } = segment;
    const side = this.sides[from];
    const peer = this.sides[otherSide(from)];
    const timeNs = nanosecondsBetween(this.start, time);
    const span = sequenceSpan(found);
    const hasControl = (found.flags & controlFlags) !== 0;
    const answersKeepAlive = peer.lastWasKeepAlive;
    const isAtNext = side.next < 0 || found.sequence === side.next;
    const { sequence, wirePayloadLength: length } = found;
    const mark =
      (found.flags & tcpFlag.rst) === 0
        ? side.send(
            { sequence, length, span, hasControl, number, timeNs },
            peer,
            this.handshake?.rttNs ?? 0,
          )
        : side.reset(sequence);
    if (mark !== undefined) marks.push(mark);
    if ((found.flags & tcpFlag.ack) === 0) return undefined;
    const isPure = span === 0 && !hasControl && isAtNext && mark === undefined;
    const window = this.#window(found, side);
    const context = { side, peer, timeNs, window, isPure, answersKeepAlive };
    return this.#acknowledge(found, context, marks);
  }

  /** Scaled, unless it is a SYN's; scaling holds only when both sides offered it (RFC 7323 2.2). */
  #window(found: PacketClass, side: TcpSide): number {
    const { client, server } = this.sides;
    const isScaled =
      (found.flags & tcpFlag.syn) === 0 && client.windowShift >= 0 && server.windowShift >= 0;
    // RFC 7323 2.3: shifts above 14 count as 14.
    return found.window * 2 ** (isScaled ? Math.min(14, side.windowShift) : 0);
  }

  #acknowledge(
    { flags, acknowledgment }: PacketClass,
    context: AcknowledgmentContext,
    marks: TcpMark[],
  ): { ns: number; number: number } | undefined {
    const { side, peer, timeNs, window } = context;
    if (window === 0 && (flags & controlFlags) === 0) {
      side.zeroWindows++;
      marks.push('zero window');
    }
    const isSame = side.lastAcknowledgment === acknowledgment;
    const hasAdvanced =
      side.lastAcknowledgment < 0 || serialDistance(acknowledgment, side.lastAcknowledgment) > 0;
    if (isSame && context.isPure) markRepeatedAck(context, marks);
    if (hasAdvanced) side.duplicatesInRow = 0;
    if (hasAdvanced || isSame) {
      side.lastAcknowledgment = acknowledgment;
      side.lastAcknowledgedAtNs = timeNs;
    }
    side.window = window;
    return hasAdvanced ? peer.acknowledged(acknowledgment, timeNs) : undefined;
  }

  #note({ bytes, found, from, number, time }: CapturedSegment, marks: TcpMark[]): TcpSegmentNote {
    const side = this.sides[from];
    const { payloadAt, payloadLength } = found;
    const preview = payloadPreview(bytes, payloadAt, payloadAt + payloadLength);
    return {
      type: 'segment',
      number,
      time,
      from,
      flags: tcpFlagText(found.flags),
      sequence: relativeTo(found.sequence, side.initialSequence),
      ...((found.flags & tcpFlag.ack) === 0
        ? {}
        : { acknowledgment: this.#acknowledgmentNumber(found, this.sides[otherSide(from)]) }),
      length: found.wirePayloadLength,
      window: this.#window(found, side),
      marks,
      states: this.state,
      ...(preview === undefined ? {} : { preview }),
    };
  }

  /** The peer's numbers may be unknown yet: then the acknowledgment is what they count from. */
  #acknowledgmentNumber({ flags, acknowledgment }: PacketClass, peer: TcpSide): SequenceNumber {
    if (peer.initialSequence < 0) {
      const isAnswerToSyn = (flags & tcpFlag.syn) !== 0;
      peer.initialSequence = serialAdd(acknowledgment, isAnswerToSyn ? -1 : 0);
      peer.next = acknowledgment;
    }
    return relativeTo(acknowledgment, peer.initialSequence);
  }

  /** Members that are undefined are left out by JSON.stringify(). */
  toJSON(): Record<string, unknown> {
    const { type, client, server, start, end, state, handshake, close, sides } = this;
    return { type, client, server, start, end, state, handshake, close, sides };
  }
}

/** The same acknowledgment again, without data: of a keep-alive, a hole, or a window that changed. */
function markRepeatedAck(context: AcknowledgmentContext, marks: TcpMark[]): void {
  const { side, peer, window } = context;
  if (context.answersKeepAlive) marks.push('keep-alive ACK');
  else if (window !== side.window && window > 0) marks.push('window update');
  else if (window > 0 && serialDistance(peer.next, side.lastAcknowledgment) > 0) {
    side.duplicateAcks++;
    side.duplicatesInRow++;
    marks.push('duplicate ACK');
  }
}

/** What a segment takes of the sequence space: its payload, SYN and FIN. */
function sequenceSpan({ wirePayloadLength, flags }: PacketClass): number {
  const control = Number((flags & tcpFlag.syn) !== 0) + Number((flags & tcpFlag.fin) !== 0);
  return wirePayloadLength + control;
}

function relativeTo(absolute: number, initial: number): SequenceNumber {
  return { absolute, relative: initial < 0 ? 0 : (absolute - initial) >>> 0 };
}

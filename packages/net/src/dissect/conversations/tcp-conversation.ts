import type { PacketClass } from '../classify.ts';
import { tcpFlag, tcpFlagText } from '../layers/tcp-flags.ts';
import {
  type Endpoint,
  nanosecondsBetween,
  otherSide,
  type PacketTime,
  type Side,
} from './conversation-types.ts';
import { SegmentLog } from './segment-log.ts';
import { serialAdd, serialDistance } from './serial-number.ts';
import { handshakeOptions } from './tcp-handshake-options.ts';
import { type TcpMark, TcpSide } from './tcp-side.ts';
import { type TcpState, TcpStates } from './tcp-states.ts';

/** A number of the sequence space: as on the wire, and counted from the connection's first. */
export interface SequenceNumber {
  readonly absolute: number;
  readonly relative: number;
}

/** One segment and what the connection makes of it. */
export interface TcpSegmentNote {
  readonly type: 'segment';
  /** Of the packet, as the caller counts. */
  readonly number: number;
  readonly time: PacketTime;
  readonly from: Side;
  /** `SYN+ACK`, `PSH+ACK`. */
  readonly flags: string;
  readonly sequence: SequenceNumber;
  /** Absent without the ACK flag. */
  readonly acknowledgment?: SequenceNumber;
  /** Payload bytes on the wire. */
  readonly length: number;
  /** In bytes, scaled where the handshake was seen. */
  readonly window: number;
  readonly marks: readonly TcpMark[];
  /** Time since the segment that this one acknowledges, and that segment's number. */
  readonly rttNs?: number;
  readonly acknowledges?: number;
  /** Of which step of opening or closing it is. */
  readonly step?: 'SYN' | 'SYN+ACK' | 'ACK of SYN' | 'FIN' | 'ACK of FIN' | 'RST';
  /** Behind it. */
  readonly states: { readonly client: TcpState; readonly server: TcpState };
  /** The first bytes of the payload. */
  readonly preview: Uint8Array;
}

/** The three segments that open a connection. */
export interface TcpHandshake {
  readonly syn: TcpSegmentNote;
  readonly synAck?: TcpSegmentNote;
  readonly ack?: TcpSegmentNote;
  /** From SYN to ACK: the round trip between the ends, as seen from anywhere between. */
  readonly rttNs?: number;
}

/** How a connection ended. */
export interface TcpClose {
  readonly by: Side;
  readonly how: 'FIN' | 'simultaneous FIN' | 'RST';
  /** The segments with FIN or RST and those that acknowledge a FIN, in order. */
  readonly steps: readonly TcpSegmentNote[];
  readonly isComplete: boolean;
}

// Enough for a line of a diagram; arbitrary.
const previewBytes = 48;
// FIN, ACK, FIN, ACK, and as many repetitions; arbitrary.
const maxCloseSteps = 8;

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
  readonly #finEnd: Record<Side, number> = { client: -1, server: -1 };
  readonly #finAcknowledged: Record<Side, boolean> = { client: false, server: false };
  readonly #closeSteps: TcpSegmentNote[] = [];
  #handshake: TcpHandshake | undefined;
  #resetBy: Side | undefined;
  #isStarted = false;

  constructor(client: Endpoint, server: Endpoint, time: PacketTime, maxSegments: number) {
    this.client = client;
    this.server = server;
    this.start = time;
    this.end = time;
    this.segments = new SegmentLog(maxSegments);
  }

  get state(): { readonly client: TcpState; readonly server: TcpState } {
    return { client: this.#states.client, server: this.#states.server };
  }

  /** Absent when the capture began later. */
  get handshake(): TcpHandshake | undefined {
    return this.#handshake;
  }

  /** Absent while the connection is open. */
  get close(): TcpClose | undefined {
    const [first, second] = this.#closeSteps;
    if (first === undefined) return undefined;
    if (this.#resetBy !== undefined) {
      return { by: this.#resetBy, how: 'RST', steps: this.#closeSteps, isComplete: true };
    }
    const { client, server } = this.#finAcknowledged;
    const isSimultaneous =
      second?.step === 'FIN' && second.from !== first.from && !this.#answers(second, first);
    const how = isSimultaneous ? 'simultaneous FIN' : 'FIN';
    return { by: first.from, how, steps: this.#closeSteps, isComplete: client && server };
  }

  /** Whether the connection is over, so that the same addresses may begin another. */
  get isOver(): boolean {
    const { client, server } = this.#states;
    const over: readonly TcpState[] = ['CLOSED', 'TIME-WAIT'];
    return this.#isStarted && over.includes(client) && over.includes(server);
  }

  #answers(segment: TcpSegmentNote, fin: TcpSegmentNote): boolean {
    const finEnd = serialAdd(fin.sequence.absolute, fin.length + 1);
    return (
      segment.acknowledgment !== undefined &&
      serialDistance(segment.acknowledgment.absolute, finEnd) >= 0
    );
  }

  add(
    bytes: Uint8Array,
    found: PacketClass,
    from: Side,
    at: { number: number; time: PacketTime },
  ): TcpSegmentNote {
    const { flags } = found;
    this.end = at.time;
    this.#begin(flags);
    const span = found.wirePayloadLength + bit(flags, tcpFlag.syn) + bit(flags, tcpFlag.fin);
    const timeNs = nanosecondsBetween(this.start, at.time);
    const side = this.sides[from];
    const peer = this.sides[otherSide(from)];
    if ((flags & tcpFlag.syn) !== 0) this.#readOptions(bytes, found, side);
    const marks: TcpMark[] = [];
    const expectsKeepAliveAnswer = peer.lastWasKeepAlive;
    const wasNext = side.next < 0 ? found.sequence : side.next;
    const hasControl = (flags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) !== 0;
    const segment = {
      sequence: found.sequence,
      length: found.wirePayloadLength,
      span,
      hasControl,
      number: at.number,
      timeNs,
    };
    if ((flags & tcpFlag.rst) === 0) {
      const mark = side.send(segment, peer, this.#handshake?.rttNs ?? 0);
      if (mark !== undefined) marks.push(mark);
    } else {
      side.packets++;
      if (side.initialSequence < 0) side.initialSequence = found.sequence;
    }
    const window = this.#window(found, side);
    const isPure = span === 0 && !hasControl && marks.length === 0;
    const answer = this.#acknowledge(
      found,
      {
        side,
        peer,
        timeNs,
        window,
        isPure: isPure && found.sequence === wasNext,
        expectsKeepAliveAnswer,
      },
      marks,
    );
    this.#states.apply({
      from,
      flags,
      acknowledgment: found.acknowledgment,
      end: serialAdd(found.sequence, span),
    });
    const note = this.#note(bytes, found, { from, at, marks, window, answer, span });
    this.segments.add(note);
    return note;
  }

  #begin(flags: number): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if ((flags & (tcpFlag.syn | tcpFlag.rst)) === 0) this.#states.assumeEstablished();
  }

  #readOptions(bytes: Uint8Array, found: PacketClass, side: TcpSide): void {
    const options = handshakeOptions(bytes, found);
    side.windowShift = options.windowShift;
    side.maximumSegment = options.maximumSegment;
  }

  /** Scaled, unless it is a SYN's; scaling holds only when both sides offered it (RFC 7323 2.2). */
  #window(found: PacketClass, side: TcpSide): number {
    const { client, server } = this.sides;
    const isScaled =
      (found.flags & tcpFlag.syn) === 0 && client.windowShift >= 0 && server.windowShift >= 0;
    const shift = isScaled ? Math.min(14, Math.max(0, side.windowShift)) : 0;
    return found.window * 2 ** shift;
  }

  #acknowledge(
    found: PacketClass,
    context: {
      readonly side: TcpSide;
      readonly peer: TcpSide;
      readonly timeNs: number;
      readonly window: number;
      readonly isPure: boolean;
      readonly expectsKeepAliveAnswer: boolean;
    },
    marks: TcpMark[],
  ): { ns: number; number: number } | undefined {
    const { side, peer, timeNs, window, isPure } = context;
    const { flags, acknowledgment } = found;
    if ((flags & tcpFlag.ack) === 0) return undefined;
    if (window === 0 && (flags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0) {
      side.zeroWindows++;
      marks.push('zero window');
    }
    const isSame = side.lastAcknowledgment === acknowledgment;
    const advanced =
      side.lastAcknowledgment < 0 || serialDistance(acknowledgment, side.lastAcknowledgment) > 0;
    if (isSame && isPure) this.#repeatedAck(context, marks);
    if (advanced) side.duplicatesInRow = 0;
    if (advanced || isSame) {
      side.lastAcknowledgment = acknowledgment;
      side.lastAcknowledgedAtNs = timeNs;
    }
    side.window = window;
    return advanced ? peer.acknowledged(acknowledgment, timeNs) : undefined;
  }

  /** The same acknowledgment again, without data: of a keep-alive, a hole, or a window that changed. */
  #repeatedAck(
    context: {
      readonly side: TcpSide;
      readonly peer: TcpSide;
      readonly window: number;
      readonly expectsKeepAliveAnswer: boolean;
    },
    marks: TcpMark[],
  ): void {
    const { side, peer, window } = context;
    if (context.expectsKeepAliveAnswer) marks.push('keep-alive ACK');
    else if (window !== side.window && window > 0) marks.push('window update');
    else if (window > 0 && serialDistance(peer.next, side.lastAcknowledgment) > 0) {
      side.duplicateAcks++;
      side.duplicatesInRow++;
      marks.push('duplicate ACK');
    }
  }

  #note(
    bytes: Uint8Array,
    found: PacketClass,
    about: {
      readonly from: Side;
      readonly at: { number: number; time: PacketTime };
      readonly marks: readonly TcpMark[];
      readonly window: number;
      readonly answer: { ns: number; number: number } | undefined;
      readonly span: number;
    },
  ): TcpSegmentNote {
    const { from, at, marks, window, answer } = about;
    const peer = this.sides[otherSide(from)];
    const step = this.#step(found, from, about.span);
    const previewEnd = found.payloadAt + Math.min(found.payloadLength, previewBytes);
    const note: TcpSegmentNote = {
      type: 'segment',
      ...at,
      from,
      flags: tcpFlagText(found.flags),
      sequence: relativeTo(found.sequence, this.sides[from].initialSequence),
      ...((found.flags & tcpFlag.ack) === 0
        ? {}
        : { acknowledgment: this.#acknowledgmentNumber(found, peer) }),
      length: found.wirePayloadLength,
      window,
      marks,
      ...(answer === undefined ? {} : { rttNs: answer.ns, acknowledges: answer.number }),
      ...(step === undefined ? {} : { step }),
      states: this.state,
      preview: bytes.slice(found.payloadAt, previewEnd),
    };
    this.#remember(note);
    return note;
  }

  /** The peer's numbers may be unknown yet: then the acknowledgment is what they count from. */
  #acknowledgmentNumber(found: PacketClass, peer: TcpSide): SequenceNumber {
    if (peer.initialSequence < 0) {
      const isAnswerToSyn = (found.flags & tcpFlag.syn) !== 0;
      peer.initialSequence = serialAdd(found.acknowledgment, isAnswerToSyn ? -1 : 0);
      peer.next = found.acknowledgment;
    }
    return relativeTo(found.acknowledgment, peer.initialSequence);
  }

  #step(found: PacketClass, from: Side, span: number): TcpSegmentNote['step'] {
    const { flags, acknowledgment, sequence } = found;
    if ((flags & tcpFlag.rst) !== 0) {
      this.#resetBy ??= from;
      return 'RST';
    }
    if ((flags & tcpFlag.syn) !== 0) return (flags & tcpFlag.ack) === 0 ? 'SYN' : 'SYN+ACK';
    const peer = otherSide(from);
    const acksFin =
      (flags & tcpFlag.ack) !== 0 &&
      this.#finEnd[peer] >= 0 &&
      serialDistance(acknowledgment, this.#finEnd[peer]) >= 0;
    const isFirstAck = acksFin && !this.#finAcknowledged[peer];
    if (acksFin) this.#finAcknowledged[peer] = true;
    if ((flags & tcpFlag.fin) !== 0) {
      if (this.#finEnd[from] < 0) this.#finEnd[from] = serialAdd(sequence, span);
      return 'FIN';
    }
    if (isFirstAck) return 'ACK of FIN';
    return this.#isAckOfSyn(found, from) ? 'ACK of SYN' : undefined;
  }

  #isAckOfSyn({ acknowledgment }: PacketClass, from: Side): boolean {
    const { synAck, ack } = this.#handshake ?? {};
    return (
      synAck !== undefined &&
      ack === undefined &&
      synAck.from !== from &&
      acknowledgment === serialAdd(synAck.sequence.absolute, 1)
    );
  }

  #remember(note: TcpSegmentNote): void {
    const { step } = note;
    if (step === 'SYN') this.#handshake ??= { syn: note };
    else if (step === 'SYN+ACK' && this.#handshake?.synAck === undefined) {
      if (this.#handshake !== undefined) this.#handshake = { ...this.#handshake, synAck: note };
    } else if (step === 'ACK of SYN' && this.#handshake !== undefined) {
      const rttNs = nanosecondsBetween(this.#handshake.syn.time, note.time);
      this.#handshake = { ...this.#handshake, ack: note, rttNs };
    } else if (step !== undefined && this.#closeSteps.length < maxCloseSteps) {
      this.#closeSteps.push(note);
    }
  }

  /** Members that are undefined are left out by JSON.stringify(). */
  toJSON(): Record<string, unknown> {
    const { type, client, server, start, end, state, handshake, close, sides } = this;
    return { type, client, server, start, end, state, handshake, close, sides };
  }
}

function bit(flags: number, flag: number): number {
  return (flags & flag) === 0 ? 0 : 1;
}

function relativeTo(absolute: number, initial: number): SequenceNumber {
  return { absolute, relative: initial < 0 ? 0 : (absolute - initial) >>> 0 };
}

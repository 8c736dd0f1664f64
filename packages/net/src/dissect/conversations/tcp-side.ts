import { RoundTripTimes } from './conversation-types.ts';
import { serialAdd, serialDistance } from './serial-number.ts';

/** What is remarkable about a segment. */
export type TcpMark =
  | 'previous segment missing'
  | 'out of order'
  | 'retransmission'
  | 'fast retransmission'
  | 'spurious retransmission'
  | 'keep-alive'
  | 'keep-alive ACK'
  | 'duplicate ACK'
  | 'window update'
  | 'zero window'
  | 'zero window probe';

/** A segment as one side's bookkeeping needs it. */
export interface SideSegment {
  readonly sequence: number;
  /** Payload bytes. */
  readonly length: number;
  /** What it takes of the sequence space: payload, SYN and FIN. */
  readonly span: number;
  readonly hasControl: boolean;
  readonly number: number;
  /** Nanoseconds since the conversation's first packet. */
  readonly timeNs: number;
}

interface Gap {
  readonly start: number;
  readonly end: number;
  readonly sinceNs: number;
}

interface Unacknowledged {
  readonly end: number;
  readonly timeNs: number;
  readonly number: number;
  isRepeated: boolean;
}

// Bounds on what one side makes us remember, arbitrary: more holes than SACK ever reports, and the
// segments of a window of 6 MB.
const maxGaps = 64;
const maxUnacknowledged = 4096;
// What a segment may be late by and still count as reordered while no round trip is known: 3 ms,
// Wireshark's figure.
const reorderingNs = 3e6;
// RFC 5681 3.2: the third duplicate ACK starts fast retransmit; Wireshark allows 20 ms for it.
const duplicatesForFastRetransmit = 3;
const fastRetransmitNs = 20e6;

/** One direction of a TCP connection: what its sender has sent and acknowledged. */
export class TcpSide {
  packets = 0;
  /** Payload bytes in all segments. */
  bytesSent = 0;
  /** Payload bytes without repetitions. */
  bytes = 0;
  retransmissions = 0;
  outOfOrder = 0;
  duplicateAcks = 0;
  zeroWindows = 0;
  missingSegments = 0;
  keepAlives = 0;
  /** Sequence number that relative ones count from: the SYN's, or the first seen. */
  initialSequence = -1;
  /** Behind the highest byte sent; -1 before the first segment. */
  next = -1;
  lastAcknowledgment = -1;
  lastAcknowledgedAtNs = 0;
  /** In bytes, scaled. */
  window = -1;
  /** Shift of the window (RFC 7323), 0 without the option, -1 when the handshake wasn't seen. */
  windowShift = -1;
  maximumSegment = -1;
  duplicatesInRow = 0;
  lastWasKeepAlive = false;
  /** Times from this side's segments to their acknowledgment. */
  readonly roundTrips = new RoundTripTimes();
  #gaps: Gap[] = [];
  readonly #unacknowledged: Unacknowledged[] = [];

  /** Takes a segment that this side sent; gives what is remarkable about its place in the sequence. */
  send(segment: SideSegment, peer: TcpSide, roundTripNs: number): TcpMark | undefined {
    this.packets++;
    this.bytesSent += segment.length;
    if (this.next < 0) {
      this.initialSequence = segment.sequence;
      this.next = segment.sequence;
    }
    const mark = this.#place(segment, peer, roundTripNs);
    this.lastWasKeepAlive = mark === 'keep-alive';
    return mark;
  }

  /** Takes a reset, which ends the sequence wherever it stands. */
  reset(sequence: number): undefined {
    this.packets++;
    if (this.initialSequence < 0) this.initialSequence = sequence;
  }

  #place(segment: SideSegment, peer: TcpSide, roundTripNs: number): TcpMark | undefined {
    const { sequence, span, length } = segment;
    const ahead = serialDistance(sequence, this.next);
    if (ahead === -1 && length <= 1 && !segment.hasControl) {
      this.keepAlives++;
      return 'keep-alive';
    }
    if (span === 0) return undefined;
    if (ahead === 0 && length === 1 && peer.window === 0) return 'zero window probe';
    if (ahead < 0) return this.#repeat(segment, peer, roundTripNs);
    if (ahead > 0) this.#addGap(sequence, segment.timeNs);
    this.#advance(segment);
    return ahead > 0 ? 'previous segment missing' : undefined;
  }

  #advance({ sequence, span, length, number, timeNs }: SideSegment): void {
    const end = serialAdd(sequence, span);
    this.bytes += Math.min(length, serialDistance(end, this.next));
    this.next = end;
    if (this.#unacknowledged.length >= maxUnacknowledged) this.#unacknowledged.shift();
    this.#unacknowledged.push({ end, timeNs, number, isRepeated: false });
  }

  #addGap(end: number, sinceNs: number): void {
    this.missingSegments++;
    if (this.#gaps.length >= maxGaps) this.#gaps.shift();
    this.#gaps.push({ start: this.next, end, sinceNs });
  }

  /** Bytes below `next`: they fill a gap, or were seen before. */
  #repeat(segment: SideSegment, peer: TcpSide, roundTripNs: number): TcpMark {
    const end = serialAdd(segment.sequence, segment.span);
    const gap = this.#fill(segment.sequence, end);
    if (gap !== undefined) {
      this.bytes += segment.length;
      const limitNs = roundTripNs > 0 ? roundTripNs : reorderingNs;
      if (segment.timeNs - gap.sinceNs < limitNs && !isAskedFor(segment, peer)) {
        this.outOfOrder++;
        return 'out of order';
      }
    }
    this.retransmissions++;
    for (const sent of this.#unacknowledged) {
      if (serialDistance(sent.end, segment.sequence) > 0) sent.isRepeated = true;
    }
    if (serialDistance(end, this.next) > 0) this.#advance(segment);
    if (gap === undefined && serialDistance(end, peer.lastAcknowledgment) <= 0) {
      return 'spurious retransmission';
    }
    return isAskedFor(segment, peer) ? 'fast retransmission' : 'retransmission';
  }

  #fill(start: number, end: number): Gap | undefined {
    const index = this.#gaps.findIndex(
      (gap) => serialDistance(start, gap.end) < 0 && serialDistance(gap.start, end) < 0,
    );
    const gap = this.#gaps[index];
    if (gap === undefined) return undefined;
    const { sinceNs } = gap;
    const left: Gap[] = [];
    if (serialDistance(start, gap.start) > 0) left.push({ start: gap.start, end: start, sinceNs });
    if (serialDistance(gap.end, end) > 0) left.push({ start: end, end: gap.end, sinceNs });
    this.#gaps = [...this.#gaps.slice(0, index), ...left, ...this.#gaps.slice(index + 1)];
    return gap;
  }

  /** The peer acknowledged up to here: the round trip of the segment that it answers, when that was sent once. */
  acknowledged(upTo: number, timeNs: number): { ns: number; number: number } | undefined {
    let answered: Unacknowledged | undefined;
    for (;;) {
      const oldest = this.#unacknowledged[0];
      if (oldest === undefined || serialDistance(oldest.end, upTo) > 0) break;
      answered = oldest;
      this.#unacknowledged.shift();
    }
    // Karn's rule: the answer to a repeated segment may belong to either copy.
    if (answered === undefined || answered.isRepeated) return undefined;
    const ns = timeNs - answered.timeNs;
    this.roundTrips.add(ns);
    return { ns, number: answered.number };
  }

  toJSON(): Record<string, unknown> {
    const { packets, bytes, bytesSent, retransmissions, outOfOrder, duplicateAcks } = this;
    return {
      packets,
      bytes,
      bytesSent,
      retransmissions,
      outOfOrder,
      duplicateAcks,
      zeroWindows: this.zeroWindows,
      missingSegments: this.missingSegments,
      keepAlives: this.keepAlives,
      initialSequence: this.initialSequence,
      roundTrips: this.roundTrips,
      ...(this.windowShift >= 0 ? { windowShift: this.windowShift } : {}),
      ...(this.maximumSegment >= 0 ? { maximumSegment: this.maximumSegment } : {}),
    };
  }
}

function isAskedFor(segment: SideSegment, peer: TcpSide): boolean {
  return (
    peer.duplicatesInRow >= duplicatesForFastRetransmit - 1 &&
    peer.lastAcknowledgment === segment.sequence &&
    segment.timeNs - peer.lastAcknowledgedAtNs < fastRetransmitNs
  );
}

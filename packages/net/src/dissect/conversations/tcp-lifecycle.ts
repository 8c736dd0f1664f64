import { tcpFlag } from '../layers/tcp-flags.ts';
import { nanosecondsBetween, otherSide, type Side } from './conversation-types.ts';
import { serialAdd, serialDistance } from './serial-number.ts';
import type { TcpSegmentNote, TcpStep } from './tcp-segment-note.ts';
import type { StateSegment } from './tcp-states.ts';

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

// FIN, ACK, FIN, ACK, and as many repetitions; arbitrary.
const maxCloseSteps = 8;

/** Recognises the segments that open and close a connection. */
export class TcpLifecycle {
  readonly #finEnd: Record<Side, number> = { client: -1, server: -1 };
  readonly #finAcknowledged: Record<Side, boolean> = { client: false, server: false };
  readonly #closeSteps: TcpSegmentNote[] = [];
  #handshake: TcpHandshake | undefined;
  #resetBy: Side | undefined;

  get handshake(): TcpHandshake | undefined {
    return this.#handshake;
  }

  get close(): TcpClose | undefined {
    const steps = this.#closeSteps;
    const [first, second] = steps;
    if (first === undefined) return undefined;
    if (this.#resetBy !== undefined) {
      return { by: this.#resetBy, how: 'RST', steps, isComplete: true };
    }
    const { client, server } = this.#finAcknowledged;
    const isSimultaneous =
      second?.step === 'FIN' && second.from !== first.from && !acknowledgesFin(second, first);
    const how = isSimultaneous ? 'simultaneous FIN' : 'FIN';
    return { by: first.from, how, steps, isComplete: client && server };
  }

  /** Which step a segment is, undefined for those between opening and closing. */
  step(segment: StateSegment): TcpStep | undefined {
    const { flags, from } = segment;
    if ((flags & tcpFlag.rst) !== 0) {
      this.#resetBy ??= from;
      return 'RST';
    }
    if ((flags & tcpFlag.syn) !== 0) return (flags & tcpFlag.ack) === 0 ? 'SYN' : 'SYN+ACK';
    const isAckOfFin = this.#noteAckOfFin(segment);
    if ((flags & tcpFlag.fin) !== 0) {
      if (this.#finEnd[from] < 0) this.#finEnd[from] = segment.end;
      return 'FIN';
    }
    if (isAckOfFin) return 'ACK of FIN';
    return this.#isAckOfSyn(segment) ? 'ACK of SYN' : undefined;
  }

  /** Keeps the notes of the segments that `step()` gave a step for. */
  remember(note: TcpSegmentNote): void {
    const { step } = note;
    const handshake = this.#handshake;
    if (step === 'SYN') this.#handshake ??= { syn: note };
    else if (step === 'SYN+ACK') {
      if (handshake !== undefined && handshake.synAck === undefined) {
        this.#handshake = { ...handshake, synAck: note };
      }
    } else if (step === 'ACK of SYN') {
      if (handshake === undefined) return;
      const rttNs = nanosecondsBetween(handshake.syn.time, note.time);
      this.#handshake = { ...handshake, ack: note, rttNs };
    } else if (step !== undefined && this.#closeSteps.length < maxCloseSteps) {
      this.#closeSteps.push(note);
    }
  }

  /** Whether it is the first to acknowledge the peer's FIN. */
  #noteAckOfFin({ flags, from, acknowledgment }: StateSegment): boolean {
    const peer = otherSide(from);
    const finEnd = this.#finEnd[peer];
    const isAck =
      (flags & tcpFlag.ack) !== 0 && finEnd >= 0 && serialDistance(acknowledgment, finEnd) >= 0;
    if (!isAck || this.#finAcknowledged[peer]) return false;
    this.#finAcknowledged[peer] = true;
    return true;
  }

  #isAckOfSyn({ acknowledgment, from }: StateSegment): boolean {
    const { synAck, ack } = this.#handshake ?? {};
    return (
      synAck !== undefined &&
      ack === undefined &&
      synAck.from !== from &&
      acknowledgment === serialAdd(synAck.sequence.absolute, 1)
    );
  }
}

function acknowledgesFin(segment: TcpSegmentNote, fin: TcpSegmentNote): boolean {
  const finEnd = serialAdd(fin.sequence.absolute, fin.length + 1);
  const { acknowledgment } = segment;
  return acknowledgment !== undefined && serialDistance(acknowledgment.absolute, finEnd) >= 0;
}

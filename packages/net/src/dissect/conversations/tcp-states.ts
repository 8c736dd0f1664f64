import { tcpFlag } from '../layers/tcp-flags.ts';
import { otherSide, type Side } from './conversation-types.ts';
import { serialDistance } from './serial-number.ts';

/** The states of RFC 9293 3.3.2. */
export type TcpState =
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT'
  | 'CLOSED';

/** What of a segment moves the states. */
export interface StateSegment {
  readonly from: Side;
  readonly flags: number;
  readonly acknowledgment: number;
  /** Sequence number behind the segment, its SYN and FIN counted. */
  readonly end: number;
}

const onOwnFin: Partial<Record<TcpState, TcpState>> = {
  'SYN-RECEIVED': 'FIN-WAIT-1',
  ESTABLISHED: 'FIN-WAIT-1',
  'CLOSE-WAIT': 'LAST-ACK',
};
const onPeersFin: Partial<Record<TcpState, TcpState>> = {
  'SYN-SENT': 'CLOSE-WAIT',
  'SYN-RECEIVED': 'CLOSE-WAIT',
  ESTABLISHED: 'CLOSE-WAIT',
  'FIN-WAIT-1': 'CLOSING',
  'FIN-WAIT-2': 'TIME-WAIT',
};
const onFinAcknowledged: Partial<Record<TcpState, TcpState>> = {
  'FIN-WAIT-1': 'FIN-WAIT-2',
  CLOSING: 'TIME-WAIT',
  'LAST-ACK': 'CLOSED',
};

/**
 * The state of both ends, as an observer between them must assume it: what one end sends, the
 * other gets. A segment's acknowledgment works before its FIN does, as in RFC 9293 3.10.7.4.
 */
export class TcpStates {
  client: TcpState = 'CLOSED';
  server: TcpState = 'LISTEN';
  readonly #finEnd: Record<Side, number> = { client: -1, server: -1 };

  /** The connection was open before the capture began. */
  assumeEstablished(): void {
    this.client = 'ESTABLISHED';
    this.server = 'ESTABLISHED';
  }

  apply(segment: StateSegment): void {
    const { from, flags } = segment;
    if ((flags & tcpFlag.rst) !== 0) {
      this.client = 'CLOSED';
      this.server = 'CLOSED';
      return;
    }
    if ((flags & tcpFlag.syn) !== 0) return this.#synchronize(from, flags);
    if ((flags & tcpFlag.ack) !== 0) this.#acknowledge(segment);
    if ((flags & tcpFlag.fin) !== 0) this.#finish(segment);
  }

  #synchronize(from: Side, flags: number): void {
    if ((flags & tcpFlag.ack) !== 0) {
      if (this[from] === 'LISTEN' || this[from] === 'SYN-SENT' || this[from] === 'CLOSED') {
        this[from] = 'SYN-RECEIVED';
      }
      // The client's SYN may lie before the capture.
      if (this[otherSide(from)] === 'CLOSED') this[otherSide(from)] = 'SYN-SENT';
    } else if (this[from] === 'CLOSED' || this[from] === 'LISTEN') {
      this[from] = 'SYN-SENT';
    }
  }

  #acknowledge({ from, acknowledgment }: StateSegment): void {
    const peer = otherSide(from);
    if (this[from] === 'SYN-SENT' || this[from] === 'SYN-RECEIVED') this[from] = 'ESTABLISHED';
    if (this[peer] === 'SYN-RECEIVED') this[peer] = 'ESTABLISHED';
    const finEnd = this.#finEnd[peer];
    if (finEnd >= 0 && serialDistance(acknowledgment, finEnd) >= 0) {
      this[peer] = onFinAcknowledged[this[peer]] ?? this[peer];
    }
  }

  #finish({ from, end, acknowledgment }: StateSegment): void {
    const peer = otherSide(from);
    // A FIN sent again changes nothing.
    if (this.#finEnd[from] >= 0) return;
    this.#finEnd[from] = end;
    const peersEnd = this.#finEnd[peer];
    if (this[from] === 'CLOSE-WAIT' && serialDistance(acknowledgment, peersEnd) < 0) {
      // It sent this before the peer's FIN, which we took for delivered, had reached it.
      this[from] = 'CLOSING';
      this[peer] = 'CLOSING';
      return;
    }
    this[from] = onOwnFin[this[from]] ?? this[from];
    this[peer] = onPeersFin[this[peer]] ?? this[peer];
  }
}

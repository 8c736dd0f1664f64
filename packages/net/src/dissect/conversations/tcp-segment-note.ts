import type { PacketTime, Side } from './conversation-types.ts';
import type { TcpMark } from './tcp-side.ts';
import type { TcpState } from './tcp-states.ts';

/** A number of the sequence space: as on the wire, and counted from the connection's first. */
export interface SequenceNumber {
  readonly absolute: number;
  readonly relative: number;
}

/** Of which step of opening or closing a segment is. */
export type TcpStep = 'SYN' | 'SYN+ACK' | 'ACK of SYN' | 'FIN' | 'ACK of FIN' | 'RST';

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
  readonly step?: TcpStep;
  /** Behind it. */
  readonly states: { readonly client: TcpState; readonly server: TcpState };
  /** How the payload begins, when that is text: not escaped, an ellipsis at its end when there is more. */
  readonly preview?: string;
}

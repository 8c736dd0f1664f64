import type { ConversationEvent, Dissection, Layer, PacketItem } from '@sockeye/net/dissect';
import type { Moment } from './packet-time.ts';

/** A packet with all that is known of it, for whoever shows it. */
export interface PacketView {
  /** Its place in the capture, from 1; packets that a filter left out count. */
  readonly number: number;
  readonly item: PacketItem;
  /** Of the capture's first packet. */
  readonly start: Moment;
  readonly interfaceName: string | undefined;
  readonly dissection: Dissection;
  /** What the packet's fragments are together, where it is the last of them. */
  readonly reassembled: { readonly length: number; readonly layers: readonly Layer[] } | undefined;
  readonly event: ConversationEvent | undefined;
  /** The conversation's number, from 1. */
  readonly conversation: number | undefined;
}

import type { DescriptorOwner } from './descriptor-channel.ts';
import type { Descriptor } from '../socket/descriptor.ts';

/** Where a connection without encryption shows the descriptor that its bytes go through. */
export const PLAIN_DESCRIPTOR: unique symbol = Symbol('sockeye plain descriptor');

/** A connection whose bytes are the socket's. */
export interface PlainStream extends DescriptorOwner {
  readonly [PLAIN_DESCRIPTOR]: Descriptor;
}

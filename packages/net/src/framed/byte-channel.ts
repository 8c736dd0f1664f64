import type { Codec } from '../codec/index.ts';
import type { Outgoing } from './outgoing.ts';

/** The bytes below the messages of one connection. */
export interface ByteChannel {
  /**
   * Receives the next bytes, in memory that nobody writes again; empty at the end of the stream. One
   * of the callbacks is called, perhaps at once.
   */
  receive(onChunk: (chunk: Buffer) => void, onError: (error: unknown) => void): void;
  /**
   * Takes a message, whose frame leaves with the others of this turn. Of a long one pieces may not
   * have been copied: then `outgoing` has no room until they have left.
   */
  send<Sent>(codec: Codec<unknown, Sent>, message: Sent): void;
  readonly outgoing: Outgoing;
  /** Ends the connection in good order; everything has been sent. */
  close(): Promise<void>;
  /** Ends the connection at once, for a reason that operations on it get. */
  abort(reason: Error): void;
  /** Whether the connection has ended on this side. */
  readonly closed: boolean;
}

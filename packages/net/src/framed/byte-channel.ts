import type { Outgoing } from './outgoing.ts';

/** The bytes below the messages of one connection. */
export interface ByteChannel {
  /** The next bytes, in memory that nobody writes again; empty at the end of the stream. */
  receive(): Promise<Buffer>;
  /**
   * Takes a frame that leaves with the others of this turn. What it keeps it has copied, except
   * that the promise of {@link drained} covers what it hasn't.
   */
  send(frame: Uint8Array | Uint8Array[]): void;
  readonly outgoing: Outgoing;
  /** Ends the connection in good order; everything has been sent. */
  close(): Promise<void>;
  /** Ends the connection at once, for a reason that operations on it get. */
  abort(reason: Error): void;
  /** Whether the connection has ended on this side. */
  readonly closed: boolean;
}

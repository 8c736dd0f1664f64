import type { Endpoint } from '../address/address.ts';

/** One conversation, whatever carries it: streams end, messages stay whole. */
export interface Channel extends Disposable {
  readonly endpoint: Endpoint;
  /** Whether each send is a message that arrives whole, and each receive is one. */
  readonly keepsMessages: boolean;
  /** Whether the peer's end is never told. */
  readonly isConnectionless: boolean;
  /** Whether its messages are frames in a stream (`--frame`), which a newline stands for in a pipe. */
  readonly isFramed: boolean;
  /** The format of the frames, as `--frame` names it. */
  readonly format?: string;
  /** Sends all of it: as one message where messages are kept. */
  send(data: Uint8Array): Promise<void>;
  /** What came next: a piece or a message; undefined at the end. */
  receive(signal?: AbortSignal): Promise<Buffer | undefined>;
  /** The same into memory of the caller's, where that saves a copy. Bytes; undefined at the end. */
  receiveInto?(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined>;
  /** Tells the peer that nothing more will come. Datagrams have no end to tell. */
  endSending(): Promise<void>;
  [Symbol.dispose](): void;
}

/** The bytes below the messages of one transfer: plain, or encrypted. */
export interface Wire {
  /**
   * Fills buffer[from, to). False at the end of the stream before the first byte.
   *
   * @throws TransferError `connection` at an end inside; what the connection failed with
   */
  fill(buffer: Buffer, from: number, to: number): Promise<boolean>;
  /**
   * Sends pieces one behind the other, and behind what was sent before. They belong to the wire
   * until the promise settles.
   */
  send(pieces: readonly Uint8Array[]): Promise<void>;
  /**
   * Sends `head`, then `count` bytes of a file without taking them through this process. Undefined
   * where bytes are encrypted here.
   */
  readonly sendFile?: (head: Uint8Array, file: FileRange) => Promise<void>;
  /** Sends what waits, then ends the connection. */
  close(): Promise<void>;
  /** Ends the connection at once; what waits rejects with the reason. */
  abort(reason: Error): void;
  /** Whether only who knows the secret can read and write them. */
  readonly encrypted: boolean;
  /** The other side's address, for events and errors. */
  readonly peer: string;
}

/** A piece of an open file. */
export interface FileRange {
  readonly fd: number;
  readonly offset: number;
  readonly count: number;
}

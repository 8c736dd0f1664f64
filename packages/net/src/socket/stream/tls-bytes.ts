/** What an encrypted connection gives and takes once the keys are agreed on. */
export interface TlsBytes {
  /** What comes next, of `size` bytes at most; undefined at the end. */
  receive(size?: number, signal?: AbortSignal): Promise<Buffer | undefined>;
  /** The same into memory of the caller's: how many bytes. */
  receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined>;
  /** Whether bytes have come that nobody has received, and the peer has not ended. */
  readonly hasUnread: boolean;
  /** Settles when the kernel has it. */
  send(data: Uint8Array): Promise<void>;
  /** Sends close_notify and the end of the stream. */
  shutdown(): Promise<void>;
}

/** How stdin and stdout are joined to a peer. */
export interface ConnectOptions {
  /** Whether the end of stdin is told to the peer. */
  readonly shutdown: boolean;
  /** Ends the command when it comes from stdin. */
  readonly quit?: string | undefined;
  /** Milliseconds: for connecting, and then without a byte in either direction. */
  readonly timeout?: number | undefined;
  readonly quiet?: boolean | undefined;
  /** Prints events as JSON objects instead of bytes. */
  readonly json?: boolean | undefined;
  /** Sends CR LF for each newline. */
  readonly crlf?: boolean | undefined;
}

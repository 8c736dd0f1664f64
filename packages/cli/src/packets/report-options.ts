/** What is shown of packets. */
export interface ReportOptions {
  /** One object a line instead of text. */
  readonly json: boolean;
  /** Every field of every layer. */
  readonly layers: boolean;
  /** The streams of TCP connections, put in order. */
  readonly follow: boolean;
  readonly conversations: boolean;
  /** A sequence diagram of each TCP connection, on the terminal. */
  readonly sequence: boolean;
  /** Where the diagrams go as a picture. */
  readonly svg: string | undefined;
  /** Nothing a packet: it is only written to a file. */
  readonly quiet: boolean;
}

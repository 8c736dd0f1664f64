/**
 * The connection below TLS ended without the peer's close_notify: its process was killed, its
 * program doesn't care, or somebody between cut the connection. What it said may be incomplete.
 * Source: RFC 8446, section 6.1.
 */
export class TlsTruncatedError extends Error {
  readonly code = 'ERR_TLS_TRUNCATED';

  constructor() {
    super(
      'the peer ended the connection without TLS’s close_notify: what it sent may be cut short',
    );
  }

  override get name(): string {
    return 'TlsTruncatedError';
  }
}

// RFC 8446, section 6; iana.org/assignments/tls-parameters. Those that end a connection.
const ALERTS: Readonly<Record<number, string>> = {
  10: 'unexpected message',
  20: 'bad record MAC',
  22: 'record overflow',
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'certificate revoked',
  45: 'certificate expired',
  46: 'certificate unknown',
  47: 'illegal parameter',
  48: 'unknown CA',
  49: 'access denied',
  50: 'decode error',
  51: 'decrypt error',
  70: 'protocol version',
  71: 'insufficient security',
  80: 'internal error',
  86: 'inappropriate fallback',
  90: 'user canceled',
  109: 'missing extension',
  110: 'unsupported extension',
  112: 'unrecognized name',
  113: 'bad certificate status response',
  115: 'unknown PSK identity',
  116: 'certificate required',
  120: 'no application protocol',
};

/**
 * A TLS alert ended the connection: the peer's, or ours because of what the peer sent.
 * Source: RFC 8446, section 6.
 */
export class TlsAlertError extends Error {
  readonly code = 'ERR_TLS_ALERT';
  /** The alert's number. */
  readonly alert: number;

  /** @param isOurs whether what the peer sent is no TLS that we can accept */
  constructor(alert: number, isOurs: boolean) {
    const name = ALERTS[alert] ?? 'unknown';
    const what = isOurs
      ? 'what the peer sent is damaged, or no valid TLS'
      : 'the peer ended the TLS connection';
    super(`${what}: ${name} (alert ${alert})`);
    this.alert = alert;
  }

  override get name(): string {
    return 'TlsAlertError';
  }
}

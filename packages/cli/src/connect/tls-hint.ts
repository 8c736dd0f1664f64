import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';

// RFC 8446, section 5.1: a record's type (21 an alert), its version, and its length.
const ALERT = 21;
const MAJOR_VERSION = 3;
const ALERT_BYTES = 2;

/** What a conversation in clear tells of TLS, in a few words. */
export interface TlsHint {
  readonly text: string;
  /** Whether it is beyond doubt. */
  readonly isSure: boolean;
}

/**
 * Whether a peer that was spoken to in clear may expect TLS: it answers with an alert, or says nothing
 * at all (OpenSSL, where nothing looks like a handshake).
 *
 * @param isOver whether there will be no more of it; who goes away before can't know
 */
export function tlsHint(channel: Channel, isOver: boolean): TlsHint | undefined {
  if (!(channel instanceof SocketChannel) || channel.endpoint.transport !== 'tcp') return undefined;
  const { head } = channel;
  if (head === undefined ? isOver : head.length === 0) {
    return { text: 'nothing came; a server that waits for TLS is as silent', isSure: false };
  }
  const [type, major, , high, low] = head ?? [];
  const isAlert = type === ALERT && major === MAJOR_VERSION && high === 0 && low === ALERT_BYTES;
  return isAlert ? { text: 'what came is an alert of TLS', isSure: true } : undefined;
}

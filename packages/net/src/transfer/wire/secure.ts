import {
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
  TLSSocket as Tls,
} from 'node:tls';
import { constants } from 'node:crypto';
import type { Socket } from '../../socket/index.ts';
import { TlsStream, TlsTransport } from '../../socket/stream/index.ts';
import { TransferError } from '../transfer-error.ts';
import { peerOf } from './socket-wire.ts';
import { TlsWire } from './tls-wire.ts';

/** How long two sides may take to agree on keys (safety.md 11). */
const HANDSHAKE_MS = 10_000;

const IDENTITY = 'sockeye-transfer-1';
// The one suite of TLS 1.3 that node:tls can use with a key from a callback and that has AES.
const TLS_OPTIONS = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  // No session outlives its connection.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** Encrypts a connection that we made. @throws TransferError `secret` where the secrets differ */
export function secureClient(
  socket: Socket<number>,
  key: Buffer,
  signal?: AbortSignal,
): Promise<TlsWire> {
  const peer = peerOf(socket);
  const transport = new TlsTransport(socket);
  const tls = connect({
    ...TLS_OPTIONS,
    socket: transport,
    pskCallback: () => ({ psk: key, identity: IDENTITY }),
    // Only a peer with the key is right: no certificate is, whoever vouches for it.
    ca: [],
    checkServerIdentity: () => new Error('the peer showed a certificate'),
  });
  const stream = new TlsStream(tls, transport);
  return handshake(tls, 'secureConnect', () => new TlsWire(stream, peer), { peer, signal });
}

/** Encrypts a connection that we accepted. @throws TransferError `secret` */
export function secureServer(
  socket: Socket<number>,
  key: Buffer,
  signal?: AbortSignal,
): Promise<TlsWire> {
  const peer = peerOf(socket);
  const transport = new TlsTransport(socket);
  const tls = new Tls(transport, {
    isServer: true,
    secureContext: serverContext(),
    pskCallback: (_socket: TLSSocket, identity: string) => (identity === IDENTITY ? key : null),
    ciphers: TLS_OPTIONS.ciphers,
    minVersion: TLS_OPTIONS.minVersion,
  } as ConstructorParameters<typeof Tls>[1]);
  tls.on('keylog', (line) => transport.learn(line, tls, 'server'));
  const wire = (): TlsWire => new TlsWire(new TlsStream(tls, transport), peer);
  return handshake(tls, 'secure', wire, { peer, signal });
}

let context: SecureContext | undefined;

/** One for all connections: a flood of them would leave as many behind until V8 looks. */
function serverContext(): SecureContext {
  context ??= createSecureContext(TLS_OPTIONS);
  return context;
}

interface Handshake {
  readonly peer: string;
  readonly signal: AbortSignal | undefined;
}

function handshake(
  tls: TLSSocket,
  event: 'secure' | 'secureConnect',
  wire: () => TlsWire,
  { peer, signal }: Handshake,
): Promise<TlsWire> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(new TransferError('connection', `Cannot pair with ${peer}: no answer in time`));
    }, HANDSHAKE_MS);
    const onError = (error: Error): void => fail(pairingError(error, peer));
    const onClose = (): void => onError(new Error('it closed the connection'));
    const onAbort = (): void => fail(signal?.reason as Error);
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      tls.off('error', onError).off('close', onClose);
    };
    const fail = (error: Error): void => {
      release();
      tls.on('error', () => undefined).destroy();
      reject(error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    tls.on('error', onError).on('close', onClose);
    tls.once(event, () => {
      // Without a certificate in play a session is one that the shared key began.
      if (!tls.isSessionReused()) {
        onError(new Error('the peer has no shared key'));
        return;
      }
      release();
      resolve(wire());
    });
  });
}

// What OpenSSL says where the keys differ, on either side.
const DIFFERENT_KEYS = /BINDER_DOES_NOT_VERIFY|ALERT_ILLEGAL_PARAMETER|PSK|ALERT_DECRYPT_ERROR/i;

// What it says of bytes that are no TLS at all.
const NOT_TLS = /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG/;

/** An error of OpenSSL's has its words in `reason`; its message is a line of its own queue. */
interface HandshakeError extends Error {
  readonly code?: string;
  readonly reason?: string;
}

function pairingError(cause: HandshakeError, peer: string): TransferError {
  const { code = '' } = cause;
  const secretsDiffer = DIFFERENT_KEYS.test(code);
  const text = secretsDiffer ? 'the secrets differ' : handshakeText(cause, code);
  const reason = secretsDiffer ? 'secret' : 'connection';
  return new TransferError(reason, `Cannot pair with ${peer}: ${text}`, { cause });
}

function handshakeText({ message, reason }: HandshakeError, code: string): string {
  if (NOT_TLS.test(code)) {
    return "it doesn't encrypt: it isn't Sockeye, or only this side has a secret; insecure is for both sides or for none";
  }
  return reason ?? message;
}

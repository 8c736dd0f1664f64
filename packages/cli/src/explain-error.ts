import {
  AddressInfoError,
  errnoMessage,
  SocketError,
  TimeoutError,
  TlsTruncatedError,
} from '@sockeye/net';
import type { Endpoint } from './address/address.ts';
import { formatEndpoint } from './address/format-address.ts';
import { CommandError } from './command-error.ts';
import { escapeText } from './text/escape-text.ts';

// openssl-verification-options(1): the chain ends nowhere that is trusted, or no longer is valid.
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

/** The one line for a socket operation that failed: what was tried, and why it did not work. */
export function explainError(action: string, endpoint: Endpoint, error: unknown): CommandError {
  const reason = reasonOf(error);
  const hint = endpoint.transport === 'vsock' ? vsockHint(action, error) : undefined;
  const more = hint === undefined ? '' : `; ${hint}`;
  const message = `cannot ${action} ${formatEndpoint(endpoint)}: ${reason}${more}`;
  return new CommandError(message, undefined, { cause: error });
}

/** What vsock(7) means by its errors, which say less than those of IP. */
function vsockHint(action: string, error: unknown): string | undefined {
  if (!(error instanceof SocketError)) return undefined;
  const { code } = error;
  if (code === 'EAFNOSUPPORT') return 'the kernel has no vsock; modprobe vsock';
  if (action === 'listen on' && code === 'EADDRNOTAVAIL') {
    return 'vsock://:port listens whatever it is';
  }
  if (action !== 'connect to') return undefined;
  if (code === 'ECONNRESET') return 'nobody listens on that port there';
  return ['ETIMEDOUT', 'ENODEV', 'ENETUNREACH'].includes(code)
    ? 'no machine here has that cid; 2 is the host, and 1 this machine (modprobe vsock_loopback)'
    : undefined;
}

/** Why an operation failed, in a few words that start in lower case. */
export function reasonOf(error: unknown): string {
  if (error instanceof TimeoutError) return `no answer within ${error.timeout} s`;
  if (error instanceof AddressInfoError) return `the host is not known (${error.code})`;
  if (error instanceof SocketError) return socketReason(error);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return codedReason(error as Error & { code: string });
  }
  const message = error instanceof Error ? error.message : String(error);
  return escapeText(message, { keep: '' });
}

function socketReason(error: SocketError): string {
  const text = errnoMessage.get(error.errno) ?? 'unknown error';
  const plain = `${text.charAt(0).toLowerCase()}${text.slice(1)} (${error.code})`;
  return error.hint === undefined ? plain : `${plain}; ${error.hint}`;
}

/** What node:tls and node:net report; their messages begin with the call, their codes say all. */
function codedReason(error: Error & { code: string }): string {
  const { code } = error;
  if (UNTRUSTED.has(code)) {
    return `nothing vouches for its certificate (${code}); --ca FILE names who does, --insecure takes any`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for another name (${code}); --servername NAME says which to expect`;
  }
  if (error instanceof TlsTruncatedError) {
    return `${error.message} (${code}); --ignore-unexpected-eof takes that for its end`;
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return `${sslReason(error)} (${code}); does the other side speak TLS?`;
  }
  const { errno } = error as NodeJS.ErrnoException;
  const text = errno === undefined ? undefined : errnoMessage.get(Math.abs(errno));
  if (text !== undefined) return `${text.charAt(0).toLowerCase()}${text.slice(1)} (${code})`;
  return `${escapeText(sslReason(error), { keep: '' })} (${code})`;
}

/** OpenSSL's message without its address, file and line. */
function sslReason(error: Error & { reason?: unknown }): string {
  return typeof error.reason === 'string' ? error.reason : error.message;
}

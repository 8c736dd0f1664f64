import { AddressInfoError, errnoMessage, SocketError, TimeoutError } from '@sockeye/net';
import type { Endpoint } from './address/address.ts';
import { formatEndpoint } from './address/format-address.ts';
import { CommandError } from './command-error.ts';
import { portHolder } from './port-holder-linux.ts';
import { escapeText } from './text/escape-text.ts';

const FIRST_UNPRIVILEGED_PORT = 1024;

/** The one line for a socket operation that failed: what was tried, and why it did not work. */
export function explainError(action: string, endpoint: Endpoint, error: unknown): CommandError {
  const reason = reasonOf(error, endpoint);
  const message = `cannot ${action} ${formatEndpoint(endpoint)}: ${reason}`;
  return new CommandError(message, undefined, { cause: error });
}

/** Why an operation failed, in a few words that start in lower case. */
export function reasonOf(error: unknown, endpoint?: Endpoint): string {
  if (error instanceof TimeoutError) return `no answer within ${error.timeout} s`;
  if (error instanceof AddressInfoError) return `the host is not known (${error.code})`;
  if (error instanceof SocketError) return socketReason(error, endpoint);
  const message = error instanceof Error ? error.message : String(error);
  return escapeText(message, { keep: '' });
}

function socketReason(error: SocketError, endpoint: Endpoint | undefined): string {
  const text = errnoMessage.get(error.errno) ?? 'unknown error';
  const plain = `${text.charAt(0).toLowerCase()}${text.slice(1)} (${error.code})`;
  const hint = error.hint ?? (endpoint === undefined ? undefined : hintFor(error, endpoint));
  return hint === undefined ? plain : `${plain}; ${hint}`;
}

function hintFor(error: SocketError, endpoint: Endpoint): string | undefined {
  const port = 'port' in endpoint ? endpoint.port : undefined;
  if (error.code === 'EADDRINUSE' && port !== undefined) {
    const holder = portHolder(endpoint.transport === 'udp' ? 'udp' : 'tcp', port);
    return holder === undefined ? undefined : `${holder.name} (pid ${holder.pid}) holds the port`;
  }
  if (error.code === 'EACCES' && port !== undefined && port < FIRST_UNPRIVILEGED_PORT) {
    return `a port below ${FIRST_UNPRIVILEGED_PORT} needs root or CAP_NET_BIND_SERVICE`;
  }
  if (error.code === 'ECONNREFUSED') return 'nobody listens there';
  if (error.code === 'EAFNOSUPPORT') return 'this kernel has no such sockets';
  return undefined;
}

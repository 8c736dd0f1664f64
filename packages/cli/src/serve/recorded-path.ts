import { createHash } from 'node:crypto';
import type { Address } from '@sockeye/net';
import { type RecordedPath, tcpInfoReader } from '@sockeye/net/capture';
import { isConnectionless } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import type { ConversationPath } from './observer.ts';

interface End {
  readonly host: string;
  readonly port: number;
}

// Where no address is: in the range that IANA assigns to nobody (RFC 6335, section 6), so that no
// reader takes the bytes for another protocol's.
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;

let made = 0;

/**
 * The addresses of a conversation for a recording, whose packets are IP's. What is not of IP gets
 * loopback addresses that are made up, and a comment that says whose they are.
 */
export function recordedPath(path: ConversationPath): RecordedPath {
  const transport = isConnectionless(path.transport) ? 'udp' : 'tcp';
  const remote = inetEnd(path.remote);
  if (remote === undefined) return { transport, ...madeUp(path) };
  const local = inetEnd(path.local) ?? { host: remote.host, port: 0 };
  const comment = path.transport === 'tls' ? { comment: 'TLS was taken off.' } : {};
  const info = path.socket === undefined ? {} : { info: tcpInfoReader(path.socket) };
  return { transport, local, remote, ...comment, ...info };
}

function inetEnd(address: Address | null): End | undefined {
  if (address === null || !('host' in address)) return undefined;
  return { host: address.host, port: address.port };
}

function madeUp({ transport, local, remote }: ConversationPath) {
  const from = formatAddress(transport, remote);
  const comment = `${from} to ${formatAddress(transport, local)}: the addresses are made up.`;
  // Each connection is a conversation of its own; the datagrams of one sender belong together.
  const number = isConnectionless(transport) ? numberOf(from) : made++;
  const port = FIRST_PORT + 1 + (number % (PORTS - 1));
  return {
    local: { host: '127.0.0.1', port: FIRST_PORT },
    remote: { host: '127.0.0.1', port },
    comment,
  };
}

function numberOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0);
}

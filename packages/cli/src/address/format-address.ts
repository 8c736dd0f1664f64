import { type Address, VMADDR_CID_ANY } from '@sockeye/net';
import type { Endpoint, Transport } from './address.ts';
import { escapeText } from '../text/escape-text.ts';

const UNNAMED = '(unnamed)';
const UNKNOWN = '(unknown)';

/**
 * An endpoint in the form in which it is typed: `tcp://127.0.0.1:8090`, `unix:@name`; a peer without a
 * name is `unix:(unnamed)`.
 */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp':
    case 'tls':
      return `${endpoint.transport}://${bracketed(endpoint.host)}:${endpoint.port}`;
    case 'unix':
    case 'unix-dgram':
    case 'unix-seqpacket':
      return `${endpoint.transport}:${unixName(endpoint.path)}`;
    case 'vsock':
      return `vsock://${endpoint.cid ?? ''}:${endpoint.port}`;
    default:
      return endpoint satisfies never;
  }
}

/** What the kernel reported, in the same form; `tcp:(unknown)` where it reported nothing. */
export function formatAddress(transport: Transport, address: Address | null): string {
  if (address === null) return `${transport}:${transport.startsWith('unix') ? UNNAMED : UNKNOWN}`;
  if ('path' in address) return `${transport}:${unixName(address.path)}`;
  if ('cid' in address && 'port' in address) {
    // Every address of this machine's, as it is typed.
    return `vsock://${address.cid === VMADDR_CID_ANY ? '' : address.cid}:${address.port}`;
  }
  if ('host' in address) return `${transport}://${bracketed(address.host)}:${address.port}`;
  return `${transport}:${UNKNOWN}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function unixName(path: string | Uint8Array): string {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
  if (text === '') return UNNAMED;
  const shown = text.startsWith('\0') ? `@${text.slice(1)}` : `//${text}`;
  return escapeText(shown, { keep: '' });
}

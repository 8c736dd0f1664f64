import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { Address } from '@sockeye/net';
import type { TransferAddress } from '@sockeye/net/transfer';
import { parseAddress } from '../address/parse-address.ts';
import { usageError } from '../command-error.ts';

/** An address on the command line as a transfer takes it. @throws CommandError, AddressSyntaxError */
export function transferAddress(text: string, role: 'client' | 'server'): TransferAddress {
  const endpoint = parseAddress(text);
  if (endpoint.transport === 'unix') return { path: endpoint.path };
  if (endpoint.transport !== 'tcp') {
    throw usageError(
      `cannot use ${text}: a transfer goes over tcp:// or unix://, its encryption is its own`,
    );
  }
  const { host, port } = endpoint;
  if (host !== '') return { host, port };
  return { host: role === 'server' ? '0.0.0.0' : '127.0.0.1', port };
}

/** Whether a word that is no path was meant as an address. */
export function looksLikeAddress(word: string): boolean {
  return /:\d+$|^(tcp|unix):\/\//.test(word);
}

/** A listening address as servers print it. */
export function listeningText(address: Address): string {
  if ('path' in address) return `unix://${String(address.path).replace(/^\0/, '@')}`;
  if (!('host' in address)) return 'an address without a name';
  return `tcp://${hostPort(address.host, address.port)}`;
}

/** The address to type on the other side: this machine's name where it listens everywhere. */
export function reachableText(address: Address): string {
  if (!('host' in address)) return listeningText(address);
  const isAnywhere = address.host === '0.0.0.0' || address.host === '::';
  return hostPort(isAnywhere ? hostname() : address.host, address.port);
}

function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

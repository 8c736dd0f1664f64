import { isIPv6 } from 'node:net';
import type { AddressInput, Socket } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';
import type { OptionSetting } from './socket-settings.ts';

// Longer than any UDP datagram.
const MESSAGE_BYTES = 64 * 1024;

/**
 * Whether an endpoint is many hosts, each of which answers from an address of its own: a multicast
 * group (RFC 5771, RFC 4291), or a broadcast, which SO_BROADCAST asks for.
 */
export function isGroup(
  { transport, ...endpoint }: Endpoint,
  settings: readonly OptionSetting[] = [],
): boolean {
  if (transport !== 'udp' || !('host' in endpoint)) return false;
  const { host } = endpoint;
  const isMulticast = isIPv6(host) ? /^ff/i.test(host) : /^(22[4-9]|23\d)\.[\d.]+$/.test(host);
  return isMulticast || settings.some(({ name }) => name === 'SO_BROADCAST');
}

/** Datagrams to a group, and the answers of whoever hears them: a connected socket gets none. */
export class GroupChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = true;
  readonly isConnectionless = true;
  readonly isFramed = false;
  #socket: Socket<number>;
  #address: AddressInput;

  /** @param socket one that is not connected */
  constructor(endpoint: Endpoint, socket: Socket<number>, address: AddressInput) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#address = address;
  }

  async send(data: Uint8Array): Promise<void> {
    await this.#socket.sendto(data, this.#address);
  }

  async receive(signal?: AbortSignal): Promise<Buffer> {
    return await this.#socket.recv(MESSAGE_BYTES, 0, { signal });
  }

  endSending(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

import { type Address, MSG_TRUNC, type Socket } from '@sockeye/net';
import { type Endpoint } from '../address/address.ts';
import type { Channel } from '../channel/channel.ts';

// Longer than any UDP datagram, and than a Unix one whose sender left SO_SNDBUF alone (212,992).
const RECEIVE_BYTES = 256 * 1024;

/**
 * A datagram socket that waits for clients: everybody's datagrams come in, and what is sent goes to
 * who spoke last. Nothing is sent before somebody has spoken.
 */
export class DatagramChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = true;
  readonly isConnectionless = true;
  readonly isFramed = false;
  #socket: Socket<number>;
  #keep: boolean;
  #peer: Address | undefined;
  #spoke: Promise<void>;
  #onSpoke: () => void = () => undefined;

  /** @param keep takes datagrams of everybody, not of the first who speaks only */
  constructor(endpoint: Endpoint, socket: Socket<number>, keep: boolean) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#keep = keep;
    this.#spoke = new Promise((resolve) => {
      this.#onSpoke = resolve;
    });
  }

  async receive(signal?: AbortSignal): Promise<Buffer> {
    const [data, peer] = await this.#socket.recvfrom(RECEIVE_BYTES, MSG_TRUNC, { signal });
    if (peer !== null && !('path' in peer && peer.path.length === 0)) await this.#heard(peer);
    return data;
  }

  async #heard(peer: Address): Promise<void> {
    const isFirst = this.#peer === undefined;
    this.#peer = peer;
    // From now on the kernel keeps the datagrams of others away: connect(2).
    if (isFirst && !this.#keep) await this.#socket.connect(peer);
    this.#onSpoke();
  }

  async send(data: Uint8Array): Promise<void> {
    await this.#spoke;
    if (!this.#keep) await this.#socket.send(data);
    else if (this.#peer !== undefined) await this.#socket.sendto(data, this.#peer);
  }

  /** Nothing is told, but who waits for the end of sending waits for somebody to send to. */
  async endSending(): Promise<void> {
    await this.#spoke;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';

/** Which way bytes go, seen from here. */
export type Direction = 'sent' | 'received';

/** Looks on while a conversation goes its way. */
export interface Tap {
  /** What has gone that way; undefined when that direction has ended. */
  (direction: Direction, data: Uint8Array | undefined): void;
}

/** A channel with somebody who looks on. */
export class TappedChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages: boolean;
  readonly isConnectionless: boolean;
  readonly isFramed: boolean;
  #inner: Channel;
  #tap: Tap;

  constructor(inner: Channel, tap: Tap) {
    this.endpoint = inner.endpoint;
    this.keepsMessages = inner.keepsMessages;
    this.isConnectionless = inner.isConnectionless;
    this.isFramed = inner.isFramed;
    this.#inner = inner;
    this.#tap = tap;
  }

  async send(data: Uint8Array): Promise<void> {
    await this.#inner.send(data);
    this.#tap('sent', data);
  }

  async receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    const data = await this.#inner.receive(signal);
    this.#tap('received', data);
    return data;
  }

  async endSending(): Promise<void> {
    await this.#inner.endSending();
    this.#tap('sent', undefined);
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }
}

/** The channel as it is where nobody looks on. */
export function tapped(channel: Channel, taps: readonly Tap[]): Channel {
  return taps.reduce((inner, tap) => new TappedChannel(inner, tap), channel);
}

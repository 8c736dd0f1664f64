import type { Decoder } from '@sockeye/net/codec';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from '../channel/channel.ts';
import type { FrameCodec } from './frame-codec.ts';

/** Messages on a channel that carries bytes. */
export class FramedChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = true;
  readonly isConnectionless = false;
  readonly isFramed = true;
  readonly format: string;
  #inner: Channel;
  #codec: FrameCodec;
  #decoder: Decoder<Buffer>;
  #ready: Iterator<Buffer> | undefined;
  #hasEnded = false;

  constructor(inner: Channel, codec: FrameCodec) {
    this.endpoint = inner.endpoint;
    this.#inner = inner;
    this.format = codec.name;
    this.#codec = codec;
    this.#decoder = codec.decoder();
  }

  /** @throws ProtocolError, SyntaxError for what is no message of the codec's */
  async send(data: Uint8Array): Promise<void> {
    const frame = this.#codec.encode(data);
    await this.#inner.send(Array.isArray(frame) ? Buffer.concat(frame) : frame);
  }

  /** @throws ProtocolError when the bytes break the format, after the messages before that place */
  async receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    for (;;) {
      const next = this.#ready?.next();
      if (next?.done === false) return next.value;
      if (this.#hasEnded) return undefined;
      const chunk = await this.#inner.receive(signal);
      this.#hasEnded = chunk === undefined;
      const messages = chunk === undefined ? this.#decoder.end() : this.#decoder.push(chunk);
      this.#ready = messages?.[Symbol.iterator]();
    }
  }

  endSending(): Promise<void> {
    return this.#inner.endSending();
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }
}

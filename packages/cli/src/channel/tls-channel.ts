import type { TLSSocket } from 'node:tls';
import type { Socket, TlsStream } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import type { Channel } from './channel.ts';
import { untilCut } from './until-cut.ts';

/** An encrypted conversation. Its end of sending is TLS's close_notify and then a FIN. */
export class TlsChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = false;
  readonly isConnectionless = false;
  readonly isFramed = false;
  readonly tls: TLSSocket;
  /** What carries the encrypted bytes. */
  readonly socket: Socket<number>;
  #stream: TlsStream;
  #isLenient: boolean;

  /** @param isLenient whether a connection that ends is as good an end as close_notify */
  constructor(
    endpoint: Endpoint,
    { stream, socket }: { stream: TlsStream; socket: Socket<number> },
    isLenient: boolean,
  ) {
    this.endpoint = endpoint;
    this.socket = socket;
    this.tls = stream.tls;
    this.#stream = stream;
    this.#isLenient = isLenient;
  }

  send(data: Uint8Array): Promise<void> {
    return this.#stream.send(data);
  }

  receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    return this.#ended(this.#stream.receive(undefined, signal));
  }

  receiveInto(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined> {
    return this.#ended(this.#stream.receiveInto(buffer, signal));
  }

  async #ended<Received>(receiving: Promise<Received | undefined>): Promise<Received | undefined> {
    return await (this.#isLenient ? untilCut(receiving) : receiving);
  }

  endSending(): Promise<void> {
    return this.#stream.shutdown();
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}

import type { Address, Socket } from '@sockeye/net';
import type { Connection } from '@sockeye/net/server';
import { type Endpoint, keepsMessages } from '../address/address.ts';
import { endpointOf } from '../address/endpoint-of.ts';
import { formatAddress } from '../address/format-address.ts';
import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import { untilCut } from '../channel/until-cut.ts';
import type { Transport } from '../address/address.ts';

// Arbitrary: how long a peer may take to read the last answer before it is closed on.
const LINGER_MS = 2000;

const NOTHING = Buffer.alloc(0);

/** What a session does with its conversation, which ends when it is done. */
export type Session = (conversation: Conversation) => Promise<void>;

/**
 * One client of the command's servers: a connection of the library's server, which keeps its
 * deadlines, and the channel that gives its bytes another shape: messages, frames, a recording.
 */
export class Conversation implements Connection {
  /** What the library gave. */
  readonly connection: Connection;
  readonly startedAt = performance.now();
  /** The peer's address as people write it. */
  readonly name: string;
  channel: Channel;
  /** Why the session ended it; undefined if it didn't. */
  closedBecause: string | undefined;
  #plain: Channel;
  #isLenient: boolean;
  #rest: Buffer | undefined;
  #peerEnded = false;

  /** @param isLenient whether an end of TLS without close_notify is as good as one with it */
  constructor(transport: Transport, connection: Connection, isLenient: boolean = false) {
    const endpoint = endpointOf(transport, connection.remote);
    this.connection = connection;
    this.name = formatAddress(transport, connection.remote);
    this.#plain =
      transport === 'tls'
        ? new ConnectionChannel(endpoint, connection, isLenient)
        : new SocketChannel(endpoint, connection.socket);
    this.channel = this.#plain;
    this.#isLenient = isLenient;
  }

  /** Whether the bytes go as they are: then a handler may have the library's connection itself. */
  get isPlain(): boolean {
    const { transport } = this.channel.endpoint;
    return this.channel === this.#plain && !keepsMessages(transport) && !this.#isLenient;
  }

  get received(): number {
    return this.connection.received;
  }

  get sent(): number {
    return this.connection.sent;
  }

  get socket(): Socket<number> {
    return this.connection.socket;
  }

  get remote(): Address | null {
    return this.connection.remote;
  }

  get local(): Address | null {
    return this.connection.local;
  }

  get highWaterMark(): number {
    return this.connection.highWaterMark;
  }

  get signal(): AbortSignal {
    return this.connection.signal;
  }

  get alpnProtocol(): string | null {
    return this.connection.alpnProtocol;
  }

  get servername(): string | null {
    return this.connection.servername;
  }

  async recv(size: number = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const chunk = this.#rest ?? (await this.#receive()) ?? NOTHING;
    this.#rest = chunk.length > size ? chunk.subarray(size) : undefined;
    return chunk.length > size ? chunk.subarray(0, size) : chunk;
  }

  async recvInto(buffer: Uint8Array, size: number = buffer.length): Promise<number> {
    const chunk = await this.recv(Math.min(size, buffer.length));
    buffer.set(chunk);
    return chunk.length;
  }

  async #receive(): Promise<Buffer | undefined> {
    const chunk = await this.channel.receive();
    this.#peerEnded = chunk === undefined;
    return chunk;
  }

  sendall(data: Uint8Array): Promise<void> {
    return this.channel.send(data);
  }

  shutdown(): Promise<void> {
    return this.channel.endSending();
  }

  /** Its pieces, or its messages, of which one may be empty. */
  async *[Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    for (;;) {
      const chunk = await this.#receive();
      if (chunk === undefined) return undefined;
      yield chunk;
    }
  }

  /**
   * Ends the conversation so that the peer gets everything: closing a socket that still has bytes to
   * be read, or gets some, sends a reset, which may destroy what was sent before (RFC 9293, section
   * 3.6.1).
   */
  async finish(): Promise<void> {
    if (this.#peerEnded || this.socket.closed) return;
    const timer = setTimeout(() => this.close('it did not close'), LINGER_MS);
    try {
      await this.channel.endSending();
      while ((await this.channel.receive()) !== undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  close(reason: string = 'the session closed it'): void {
    this.closedBecause ??= reason;
    this.connection.close();
  }
}

/** A connection of the library's that is more than its socket: TLS. */
class ConnectionChannel implements Channel {
  readonly endpoint: Endpoint;
  readonly keepsMessages = false;
  readonly isConnectionless = false;
  readonly isFramed = false;
  #connection: Connection;
  #isLenient: boolean;

  constructor(endpoint: Endpoint, connection: Connection, isLenient: boolean) {
    this.endpoint = endpoint;
    this.#connection = connection;
    this.#isLenient = isLenient;
  }

  send(data: Uint8Array): Promise<void> {
    return this.#connection.sendall(data);
  }

  async receive(): Promise<Buffer | undefined> {
    const chunk = await this.#ended(this.#connection.recv());
    return chunk === undefined || chunk.length === 0 ? undefined : chunk;
  }

  async receiveInto(buffer: Uint8Array): Promise<number | undefined> {
    const bytes = await this.#ended(this.#connection.recvInto(buffer));
    return bytes === 0 ? undefined : bytes;
  }

  async #ended<Received>(receiving: Promise<Received>): Promise<Received | undefined> {
    return await (this.#isLenient ? untilCut(receiving) : receiving);
  }

  endSending(): Promise<void> {
    return this.#connection.shutdown();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

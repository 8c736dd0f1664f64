import type { Codec } from '../codec/index.ts';
import { engine, type Sender } from '../socket/engine.ts';
import type { ByteChannel } from './byte-channel.ts';
import type { Outgoing } from './outgoing.ts';

/** What can carry messages: a Connection, or anything with these of a Socket's methods. */
export interface ByteConnection {
  /** The next bytes; empty at the end of the stream. */
  recv(size: number): Promise<Buffer>;
  sendall(data: Uint8Array): Promise<void>;
  close(): void;
  /** Ends the sending side in good order. */
  shutdown?(): Promise<void>;
  /** The default of framed's highWaterMark on this connection. */
  readonly highWaterMark?: number;
}

// A record of TLS holds at most 16 KiB; a receive gives what was decrypted by then.
const RECEIVE_BYTES = 64 * 1024;

/** Bytes through a connection's own methods: TLS, or another's implementation. */
export class ConnectionChannel implements ByteChannel, Sender {
  readonly outgoing: Outgoing;
  readonly fd = -1;
  #connection: ByteConnection;
  #frames: Buffer[] = [];
  #closed = false;

  constructor(connection: ByteConnection, outgoing: Outgoing) {
    engine.start();
    this.#connection = connection;
    this.outgoing = outgoing;
  }

  get closed(): boolean {
    return this.#closed;
  }

  receive(onChunk: (chunk: Buffer) => void, onError: (error: unknown) => void): void {
    this.#connection.recv(RECEIVE_BYTES).then(onChunk, onError);
  }

  send<Sent>(codec: Codec<unknown, Sent>, message: Sent): void {
    const frame = codec.encode(message);
    // A piece may be a view of the caller's message.
    const bytes = Array.isArray(frame) ? Buffer.concat(frame) : Buffer.from(frame);
    if (this.#frames.push(bytes) === 1) engine.sendLater(this);
    this.outgoing.add(bytes.length);
  }

  /** Called before the loop sleeps. The bytes go through the connection, so there are none here. */
  gather(): number {
    const bytes = Buffer.concat(this.#frames);
    this.#frames = [];
    this.#connection.sendall(bytes).then(
      () => this.outgoing.sent(bytes.length),
      (error: unknown) => this.outgoing.fail(error),
    );
    return 0;
  }

  onSent(): void {
    throw new Error('unreachable: gather() gives nothing');
  }

  async close(): Promise<void> {
    await this.#connection.shutdown?.();
    this.#end();
  }

  abort(): void {
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#connection.close();
  }
}

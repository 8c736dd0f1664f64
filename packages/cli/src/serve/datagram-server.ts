import { type Address, MSG_DONTWAIT, type Socket, SocketError } from '@sockeye/net';
import type { Transport } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import { DatagramReceiver } from '../datagram/datagram-receiver.ts';
import { isAnswerable } from '../datagram/is-answerable.ts';
import { reasonOf } from '../explain-error.ts';
import { type Access, isClient } from './access.ts';
import type { DatagramAnswer } from './datagram-answer.ts';
import type { Observer } from './observer.ts';
import type { Reporter } from './reporter.ts';

export interface DatagramServerOptions {
  readonly transport: Transport;
  readonly answer: DatagramAnswer;
  readonly reporter: Reporter;
  readonly observer: Observer;
  readonly access: Access;
}

/** Answers the datagrams of one socket, one at a time: it keeps nothing of those who send them. */
export class DatagramServer {
  #socket: Socket<number>;
  #options: DatagramServerOptions;
  #receiver: DatagramReceiver;
  readonly connections = 0;

  constructor(socket: Socket<number>, options: DatagramServerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#receiver = new DatagramReceiver(socket, {
      isWelcome: isClient(options.access),
      receive: (data, from) => this.#answer(data, from),
      onCut: (bytes, limit) =>
        options.reporter.warn('cut', `a datagram of ${bytes} bytes was cut to ${limit}`),
    });
  }

  /** Serves until `drain` or `close`. Rejects when the socket itself fails. */
  run(): Promise<void> {
    return this.#receiver.run();
  }

  async #answer(data: Buffer, from: Address | null): Promise<void> {
    const reply = this.#reply(data, from);
    if (reply === undefined || !isAnswerable(from)) return;
    // A Unix client that doesn't read would have all others wait for it; UDP never waits for one.
    // (One that is connected is not held to net.unix.max_dgram_qlen: what it leaves unread fills the
    // server's own send buffer, and then nobody gets an answer. The kernel offers no way around.)
    const flags = this.#options.transport === 'udp' ? 0 : MSG_DONTWAIT;
    try {
      await this.#socket.sendto(reply, from, flags);
      this.#options.observer.datagram('sent', reply, this.#pathTo(from));
    } catch (error) {
      this.#dropped(error, from);
    }
  }

  /** What to send back; undefined for nothing. */
  #reply(data: Buffer, from: Address | null): Uint8Array | undefined {
    this.#options.observer.datagram('received', data, this.#pathTo(from));
    return this.#options.answer(data);
  }

  #pathTo(remote: Address | null) {
    return { transport: this.#options.transport, local: this.#socket.getsockname(), remote };
  }

  #dropped(error: unknown, peer: Address): void {
    if (!(error instanceof SocketError)) throw error;
    if (this.#socket.closed) return;
    const { transport, reporter } = this.#options;
    const where = formatAddress(transport, peer);
    reporter.warn(error.code, `dropped a datagram to ${where}: ${reasonOf(error)}`);
  }

  /** Answers what has arrived already, and ends. */
  drain(): Promise<void> {
    this.#receiver.takeWaiting((data, from) => {
      const reply = this.#reply(data, from);
      if (reply === undefined || !isAnswerable(from)) return;
      try {
        this.#socket.sendtoSync(reply, from, MSG_DONTWAIT);
        this.#options.observer.datagram('sent', reply, this.#pathTo(from));
      } catch (error) {
        this.#dropped(error, from);
      }
    });
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#receiver.stop();
    this.#socket.close();
  }
}

import { type Address, MSG_DONTWAIT, MSG_TRUNC, type Socket, SocketError } from '@sockeye/net';
import type { Transport } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import { reasonOf } from '../explain-error.ts';
import type { DatagramAnswer } from './datagram-answer.ts';
import type { Reporter } from './reporter.ts';

// Longer than any UDP datagram, and than a Unix one whose sender left SO_SNDBUF alone (212,992).
const RECEIVE_BYTES = 256 * 1024;

export interface DatagramServerOptions {
  readonly transport: Transport;
  readonly answer: DatagramAnswer;
  readonly reporter: Reporter;
}

/** Answers the datagrams of one socket, one at a time: it keeps nothing of those who send them. */
export class DatagramServer {
  #socket: Socket<number>;
  #options: DatagramServerOptions;
  #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #stop = new AbortController();
  readonly connections = 0;

  constructor(socket: Socket<number>, options: DatagramServerOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Serves until `drain` or `close`. Rejects when the socket itself fails. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let received: [number, Address | null];
      try {
        received = await this.#socket.recvfromInto(this.#buffer, 0, MSG_TRUNC, { signal });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      const [bytes, peer] = received;
      const reply = this.#reply(bytes);
      if (reply !== undefined && this.#isAnswerable(peer)) await this.#send(reply, peer);
    }
  }

  /** What to send back; undefined for nothing. */
  #reply(bytes: number): Uint8Array | undefined {
    const { answer, reporter } = this.#options;
    if (bytes > RECEIVE_BYTES) {
      reporter.warn('cut', `a datagram of ${bytes} bytes was cut to ${RECEIVE_BYTES}`);
    }
    return answer(this.#buffer.subarray(0, Math.min(bytes, RECEIVE_BYTES)));
  }

  /** A Unix socket without a name can't be answered: unix(7). */
  #isAnswerable(peer: Address | null): peer is Address {
    return peer !== null && !('path' in peer && peer.path.length === 0);
  }

  async #send(reply: Uint8Array, peer: Address): Promise<void> {
    // A Unix client that doesn't read would have all others wait for it; UDP never waits for one.
    // (One that is connected is not held to net.unix.max_dgram_qlen: what it leaves unread fills the
    // server's own send buffer, and then nobody gets an answer. The kernel offers no way around.)
    const flags = this.#options.transport === 'udp' ? 0 : MSG_DONTWAIT;
    try {
      await this.#socket.sendto(reply, peer, flags);
    } catch (error) {
      this.#dropped(error, peer);
    }
  }

  #dropped(error: unknown, peer: Address): void {
    if (!(error instanceof SocketError)) throw error;
    if (this.#socket.closed) return;
    const { transport, reporter } = this.#options;
    const where = formatAddress(transport, peer);
    reporter.warn(error.code, `dropped a datagram to ${where}: ${reasonOf(error)}`);
  }

  /** What has arrived already is answered by `drain`. */
  stopListening(): void {
    this.#stop.abort();
  }

  /** Answers what has arrived already, and ends. */
  drain(): Promise<void> {
    this.#stop.abort();
    if (this.#socket.closed) return Promise.resolve();
    this.#socket.settimeout(0);
    try {
      for (;;) {
        const [bytes, peer] = this.#socket.recvfromIntoSync(this.#buffer, 0, MSG_TRUNC);
        const reply = this.#reply(bytes);
        if (reply !== undefined && this.#isAnswerable(peer)) {
          this.#socket.sendtoSync(reply, peer, MSG_DONTWAIT);
        }
      }
    } catch {
      // EAGAIN: nothing is left. What can't be sent is lost, as datagrams may be.
    }
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#stop.abort();
    this.#socket.close();
  }
}

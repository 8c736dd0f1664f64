import { type Address, MSG_TRUNC, type Socket } from '@sockeye/net';

// Longer than any UDP datagram, and than a Unix one whose sender left SO_SNDBUF alone (212,992).
const RECEIVE_BYTES = 256 * 1024;

/** What receives datagrams. */
export interface DatagramReceiving {
  /** Whether a sender is heard at all; everybody is if omitted. */
  readonly isWelcome?: (from: Address | null) => boolean;
  /** The data is the receiver's again once this has settled; null is a sender without an address. */
  readonly receive: (data: Buffer, from: Address | null) => Promise<void> | void;
  /** A datagram of that many bytes was cut to `limit`. */
  readonly onCut?: (bytes: number, limit: number) => void;
}

/** Receives the datagrams of a socket, one after another. */
export class DatagramReceiver {
  #socket: Socket<number>;
  #receiving: DatagramReceiving;
  #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #stop = new AbortController();

  constructor(socket: Socket<number>, receiving: DatagramReceiving) {
    this.#socket = socket;
    this.#receiving = receiving;
  }

  /** Receives until `stop`. Rejects when the socket itself fails. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const [bytes, from] = await this.#socket.recvfromInto(this.#buffer, 0, MSG_TRUNC, {
          signal,
        });
        if (this.#isWelcome(from)) await this.#receiving.receive(this.#data(bytes), from);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Receives what has arrived already, without waiting; the socket doesn't wait from now on. */
  takeWaiting(receive: (data: Buffer, from: Address | null) => void): void {
    this.stop();
    if (this.#socket.closed) return;
    this.#socket.settimeout(0);
    try {
      for (;;) {
        const [bytes, from] = this.#socket.recvfromIntoSync(this.#buffer, 0, MSG_TRUNC);
        if (this.#isWelcome(from)) receive(this.#data(bytes), from);
      }
    } catch {
      // EAGAIN: nothing is left. What can't be sent is lost, as datagrams may be.
    }
  }

  #isWelcome(from: Address | null): boolean {
    return this.#receiving.isWelcome?.(from) ?? true;
  }

  #data(bytes: number): Buffer {
    if (bytes > RECEIVE_BYTES) this.#receiving.onCut?.(bytes, RECEIVE_BYTES);
    return this.#buffer.subarray(0, Math.min(bytes, RECEIVE_BYTES));
  }
}

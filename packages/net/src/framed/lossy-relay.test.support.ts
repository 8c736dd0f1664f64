import type { InetAddress } from '../address/index.ts';
import { AF_INET, SOCK_DGRAM } from '../constants/index.ts';
import { Socket } from '../socket/index.ts';

/** What a relay does to datagrams, in percent, each way. */
export interface Faults {
  loss: number;
  duplication: number;
  reordering: number;
}

// What is held back to be overtaken leaves by then, if nothing overtakes it.
const HOLD_MS = 5;

/** A UDP relay between clients and a server that loses, doubles and reorders, the same each run. */
export class LossyRelay implements Disposable {
  readonly faults: Faults;
  readonly address: InetAddress;
  /** The datagrams that were passed on to the server, in that order. */
  readonly passed: Buffer[] = [];
  lost = 0;
  #state: number;
  #front = bound();
  #backs = new Map<number, Socket<number>>();
  #server: InetAddress;
  #held = new Set<() => void>();

  constructor(server: InetAddress, faults: Faults, seed: number) {
    this.faults = faults;
    this.#server = server;
    this.#state = seed;
    this.address = this.#front.getsockname() as InetAddress;
    void this.#run(this.#front, (datagram, from) => {
      const back = this.#backOf(from);
      this.#pass(datagram, (bytes) => {
        this.passed.push(bytes);
        void back.sendto(bytes, this.#server).catch(() => undefined);
      });
    });
  }

  /** Marsaglia's xorshift32. */
  #random(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  #backOf(client: InetAddress): Socket<number> {
    const known = this.#backs.get(client.port);
    if (known !== undefined) return known;
    const back = bound();
    this.#backs.set(client.port, back);
    void this.#run(back, (datagram) => {
      this.#pass(datagram, (bytes) => {
        void this.#front.sendto(bytes, client).catch(() => undefined);
      });
    });
    return back;
  }

  #pass(datagram: Buffer, send: (datagram: Buffer) => void): void {
    const { loss, duplication, reordering } = this.faults;
    if (this.#random(100) < loss) {
      this.lost++;
      return;
    }
    const copies = this.#random(100) < duplication ? 2 : 1;
    const deliver = (): void => {
      for (let i = 0; i < copies; i++) send(datagram);
    };
    if (this.#random(100) < reordering) {
      const release = (): void => {
        if (!this.#held.delete(release)) return;
        deliver();
      };
      this.#held.add(release);
      setTimeout(release, HOLD_MS);
      return;
    }
    deliver();
    for (const release of this.#held) release();
  }

  async #run(
    socket: Socket<number>,
    take: (datagram: Buffer, from: InetAddress) => void,
  ): Promise<void> {
    for await (const item of socket) {
      const [datagram, from] = item as [Buffer, InetAddress];
      take(datagram, from);
    }
  }

  [Symbol.dispose](): void {
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }
}

/** A UDP socket on the loopback. */
export function bound(): Socket<number> {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.bind({ host: '127.0.0.1', port: 0 });
  return socket;
}

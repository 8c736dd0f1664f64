import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { type Address, MSG_DONTWAIT, type Socket, SocketError } from '@sockeye/net';
import type { Transport } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import {
  type DatagramRequest,
  MAX_UDP_BYTES,
  PREAMBLE,
  readDatagramRequest,
  SOURCE_LEASE_MS,
  WARM_UP_MARK,
} from './bench-protocol.ts';

const BATCH = 64;
const MARK = Buffer.from(WARM_UP_MARK);
// Clients whose datagrams are counted or who are sent to; the one longest unheard of goes first.
const MAX_CLIENTS = 1024;
const COOKIE_BYTES = 8;
// How long to wait where the kernel has no room, and no event tells when it has.
const FULL_MS = 1;
// After this another client may have the address, and wants its datagrams back.
const FORGET_MS = 60_000;
// Datagrams to one client before the others have their turn.
const SENDS_A_TURN = 32;
const NUMBER_BYTES = 8;

/** A client that has shown its address. */
interface Client {
  datagrams: number;
  bytes: number;
  heardAt: number;
  /** Until when it wants datagrams. */
  leaseEndsAt: number;
  isSource: boolean;
}

/** The datagram side of `bench --serve`. Echoes what asks for nothing. */
export class BenchDatagramServer {
  #socket: Socket<number>;
  #transport: Transport;
  #secret = randomBytes(32);
  /** By address; those heard of last are at the end. */
  #clients = new Map<string, Client>();
  #stop = new AbortController();

  constructor(socket: Socket<number>, transport: Transport) {
    this.#socket = socket;
    this.#transport = transport;
  }

  /** Serves until `close`. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const received = await this.#socket.recvmmsg(BATCH, MAX_UDP_BYTES, 0, { signal });
        const answers = received.flatMap(({ data, address }) => this.#answer(data, address) ?? []);
        await this.#sendAll(answers);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  close(): void {
    this.#stop.abort();
    this.#socket.close();
  }

  #answer(data: Buffer, address: Address | null): { data: Buffer; address: Address } | undefined {
    // A Unix socket without a name can't be answered: unix(7).
    if (address === null || ('path' in address && address.path.length === 0)) return undefined;
    const name = formatAddress(this.#transport, address);
    const request = readDatagramRequest(data);
    if (request !== undefined) {
      const text = this.#obey(request, name, address);
      return text === undefined ? undefined : { data: Buffer.from(text), address };
    }
    const client = this.#clients.get(name);
    const now = performance.now();
    if (client === undefined || now - client.heardAt > FORGET_MS) return { data, address };
    client.heardAt = now;
    if (data.subarray(0, WARM_UP_MARK.length).equals(MARK)) return undefined;
    client.datagrams++;
    client.bytes += data.length;
    return undefined;
  }

  #obey(request: DatagramRequest, name: string, address: Address): string | undefined {
    if (request.kind === 'hello') {
      this.#clients.delete(name);
      return `${PREAMBLE}cookie ${this.#cookie(name)}`;
    }
    if (!this.#isCookie(request.cookie, name)) return undefined;
    switch (request.kind) {
      case 'discard':
        // The same again is a repetition, which must not lose the count.
        this.#remember(name, this.#clients.get(name) ?? newClient());
        return `${PREAMBLE}ready`;
      case 'report': {
        const { datagrams = 0, bytes = 0 } = this.#clients.get(name) ?? {};
        return `${PREAMBLE}received ${datagrams} ${bytes}`;
      }
      case 'source':
        this.#lease(name, address, request.size);
        return undefined;
      default:
        return request satisfies never;
    }
  }

  /** Stands for an address without a table of those who asked. */
  #cookie(name: string): string {
    const mac = createHmac('sha256', this.#secret).update(name).digest();
    return mac.subarray(0, COOKIE_BYTES).toString('hex');
  }

  #isCookie(cookie: string, name: string): boolean {
    const right = this.#cookie(name);
    return (
      cookie.length === right.length && timingSafeEqual(Buffer.from(cookie), Buffer.from(right))
    );
  }

  #remember(name: string, client: Client): void {
    this.#clients.delete(name);
    this.#clients.set(name, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MAX_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
  }

  #lease(name: string, address: Address, size: number): void {
    if (size < NUMBER_BYTES || size > MAX_UDP_BYTES) return;
    const client = this.#clients.get(name) ?? newClient();
    client.leaseEndsAt = performance.now() + SOURCE_LEASE_MS;
    this.#remember(name, client);
    if (client.isSource) return;
    client.isSource = true;
    this.#source(client, address, size)
      .catch(() => undefined)
      .finally(() => {
        client.isSource = false;
        if (this.#clients.get(name) === client) this.#clients.delete(name);
      });
  }

  async #source(client: Client, address: Address, size: number): Promise<void> {
    const datagrams = Array.from({ length: SENDS_A_TURN }, () => Buffer.alloc(size, 'bench'));
    for (let number = 0; performance.now() < client.leaseEndsAt && !this.#socket.closed; ) {
      datagrams.forEach((datagram, i) => datagram.writeDoubleBE(number + i, 0));
      const messages = datagrams.map((data) => ({ data, address }));
      const sent = await this.#trySend(messages);
      number += sent;
      // A turn of the event loop for everybody else, or the kernel's time to make room.
      if (sent === messages.length) await turn();
      else await sleep(FULL_MS);
    }
  }

  /** Sends what goes at once; who doesn't read holds up nobody. */
  async #trySend(messages: readonly { data: Buffer; address: Address }[]): Promise<number> {
    try {
      return await this.#socket.sendmmsg(messages, MSG_DONTWAIT);
    } catch (error) {
      if (error instanceof SocketError && !this.#socket.closed) return 0;
      throw error;
    }
  }

  /** What can't be sent is lost, as datagrams may be: the client counts it. */
  async #sendAll(answers: readonly { data: Buffer; address: Address }[]): Promise<void> {
    for (let done = 0; done < answers.length; ) {
      done += Math.max(await this.#trySend(answers.slice(done)), 1);
    }
  }
}

function newClient(): Client {
  return { datagrams: 0, bytes: 0, heardAt: performance.now(), leaseEndsAt: 0, isSource: false };
}

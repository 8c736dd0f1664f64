import { type Address, type Socket, SocketError } from '@sockeye/net';
import { formatAddress } from '../address/format-address.ts';
import type { Channel } from '../channel/channel.ts';
import { openChannel } from '../channel/open-channel.ts';
import type { Direction } from '../channel/tapped-channel.ts';
import { DatagramReceiver } from '../datagram/datagram-receiver.ts';
import { isAnswerable } from '../datagram/is-answerable.ts';
import { reasonOf } from '../explain-error.ts';
import { type Access, isClient } from '../serve/access.ts';
import type { BoundSocket } from '../serve/bind-endpoint.ts';
import type { Observer } from '../serve/observer.ts';
import type { Shared, SocketServer } from '../serve/open-serving.ts';
import type { ForwardTarget } from './forward-session.ts';
import { pump } from './pump.ts';

// Arbitrary: what a client may say while its way to the target is being opened.
const MAX_WAITING = 64;
const LONGEST_TICK_MS = 1000;

interface Client {
  readonly name: string;
  readonly address: Address;
  readonly startedAt: number;
  /** undefined while it is being opened. */
  channel: Channel | undefined;
  waiting: Buffer[];
  activeAt: number;
  received: number;
  sent: number;
}

export interface DatagramForwarderOptions extends Shared {
  /** A client is forgotten when neither it nor the target has said anything for so long. */
  readonly idleMs: number;
  readonly observer: Observer;
  readonly access: Access;
}

/**
 * Forwards the datagrams of one socket: each client gets a socket of its own to the target, through
 * which the answers find back, until neither has said anything for the idle time.
 */
export class DatagramForwarder implements SocketServer {
  #bound: BoundSocket;
  #target: ForwardTarget;
  #options: DatagramForwarderOptions;
  #clients = new Map<string, Client>();
  #receiver: DatagramReceiver;
  #clock: NodeJS.Timeout;

  constructor(bound: BoundSocket, target: ForwardTarget, options: DatagramForwarderOptions) {
    this.#bound = bound;
    this.#target = target;
    this.#options = options;
    this.#receiver = new DatagramReceiver(bound.socket, {
      isWelcome: isClient(options.access),
      receive: (data, from) => (isAnswerable(from) ? this.#forward(from, data) : undefined),
    });
    const tickMs = Math.min(options.idleMs / 4, LONGEST_TICK_MS);
    this.#clock = setInterval(() => this.#endIdle(), tickMs).unref();
  }

  get connections(): number {
    return this.#clients.size;
  }

  get #socket(): Socket<number> {
    return this.#bound.socket;
  }

  run(): Promise<void> {
    return this.#receiver.run();
  }

  async #forward(address: Address, data: Buffer): Promise<void> {
    const name = formatAddress(this.#bound.endpoint.transport, address);
    const client = this.#clients.get(name) ?? this.#take(name, address);
    if (client === undefined) return;
    client.activeAt = performance.now();
    if (client.channel !== undefined) await this.#send(client, client.channel, data);
    else if (client.waiting.length < MAX_WAITING) client.waiting.push(Buffer.from(data));
  }

  async #send(client: Client, channel: Channel, data: Buffer): Promise<void> {
    try {
      await channel.send(data);
      this.#observe('received', data, client);
      client.received += data.length;
      this.#target.totals.toTarget += data.length;
    } catch (error) {
      // An earlier datagram found nobody (ECONNREFUSED), or this one doesn't fit: it is lost.
      this.#options.reporter.warn('forward', `dropped a datagram: ${reasonOf(error)}`);
    }
  }

  #observe(direction: Direction, data: Uint8Array, { address }: Client): void {
    const { socket, endpoint } = this.#bound;
    const path = { transport: endpoint.transport, local: socket.getsockname(), remote: address };
    this.#options.observer.datagram(direction, data, path);
  }

  #take(name: string, address: Address): Client | undefined {
    const { limit, reporter } = this.#options;
    if (limit.count >= limit.max) {
      reporter.warn(
        'full',
        `dropped a datagram of ${name}: ${limit.max} clients are there already`,
      );
      return undefined;
    }
    limit.take();
    this.#target.totals.connections++;
    const now = performance.now();
    const client: Client = {
      name,
      address,
      startedAt: now,
      channel: undefined,
      waiting: [],
      activeAt: now,
      received: 0,
      sent: 0,
    };
    this.#clients.set(name, client);
    reporter.tell({ type: 'connected', peer: name, connections: limit.count });
    void this.#open(client);
    return client;
  }

  async #open(client: Client): Promise<void> {
    const { endpoint, open } = this.#target;
    try {
      const channel = await openChannel(endpoint, open);
      if (!this.#clients.has(client.name)) {
        channel[Symbol.dispose]();
        return;
      }
      client.channel = channel;
      for (const data of client.waiting.splice(0)) await this.#send(client, channel, data);
      await this.#answer(client, channel);
      this.#end(client, 'done');
    } catch (error) {
      this.#end(client, reasonOf(error));
    }
  }

  /** Carries answers back. That nobody is bound at the target is told of, and no end: one may come. */
  async #answer(client: Client, channel: Channel): Promise<void> {
    const back = { ...this.#backChannel(client), endpoint: channel.endpoint };
    for (;;) {
      try {
        await pump(channel, back, () => undefined);
        return;
      } catch (error) {
        if (!(error instanceof SocketError) || error.code !== 'ECONNREFUSED') throw error;
        this.#options.reporter.warn('refused', `the target: ${reasonOf(error)}`);
      }
    }
  }

  #backChannel(client: Client): Omit<Channel, 'endpoint'> {
    return {
      keepsMessages: true,
      isConnectionless: true,
      isFramed: false,
      send: async (data) => {
        client.activeAt = performance.now();
        await this.#socket.sendto(data, client.address);
        this.#observe('sent', data, client);
        client.sent += data.length;
        this.#target.totals.toClients += data.length;
      },
      receive: () => Promise.resolve(undefined),
      endSending: () => Promise.resolve(),
      [Symbol.dispose]: () => undefined,
    };
  }

  #endIdle(): void {
    const now = performance.now();
    for (const client of this.#clients.values()) {
      if (now - client.activeAt >= this.#options.idleMs) this.#end(client, 'it was idle');
    }
  }

  #end(client: Client, reason: string): void {
    if (this.#clients.get(client.name) !== client) return;
    const { limit, reporter } = this.#options;
    this.#clients.delete(client.name);
    limit.release();
    client.channel?.[Symbol.dispose]();
    reporter.tell({
      type: 'disconnected',
      peer: client.name,
      received: client.received,
      sent: client.sent,
      seconds: (performance.now() - client.startedAt) / 1000,
      reason,
      connections: limit.count,
    });
  }

  /** Datagrams have no end to wait for. */
  drain(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#receiver.stop();
    clearInterval(this.#clock);
    for (const client of this.#clients.values()) this.#end(client, 'the forwarder ended');
    this.#socket.close();
  }
}

import { ConnectionLimit } from '@sockeye/net/server';
import type { Endpoint } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import { bindEndpoint, type BoundSocket } from './bind-endpoint.ts';
import { writePortFile } from './port-file.ts';
import { Reporter, type ReporterOptions } from './reporter.ts';
import type { OptionSetting } from '../channel/socket-settings.ts';

/** Servers that can be told of in the way that they tell of themselves. */
export interface ReportingServing extends Serving {
  readonly reporter: Reporter;
}

/** The server of one socket. */
export interface SocketServer {
  readonly connections: number;
  /** Serves until `drain` or `close`. Rejects when the socket itself fails. */
  run(): Promise<void>;
  /** Stops listening at once, and waits until every client has gone, or for `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
  close(): void;
}

/** What the servers of one command share. */
export interface Shared {
  readonly limit: ConnectionLimit;
  readonly reporter: Reporter;
}

export interface ServingOptions extends ReporterOptions {
  readonly maxConnections: number;
  readonly drainTimeoutMs: number;
  readonly portFile?: string | undefined;
  /** Socket options of the listeners, which accepted sockets inherit. */
  readonly option?: readonly OptionSetting[] | undefined;
  /** What waits until every address is ours: a recording is not replaced for a port in use. */
  readonly whenBound?: (() => Promise<void>) | undefined;
  readonly makeServer: (bound: BoundSocket, shared: Shared) => SocketServer;
}

/** Servers that have their addresses. */
export interface Serving {
  /** Where they listen, with the ports that the kernel chose: `tcp://127.0.0.1:8090`. */
  readonly addresses: readonly string[];
  /**
   * Serves, once it has said where, until they are drained or closed. Whoever was told an address may
   * send a signal at once, so its handlers must be there before this.
   *
   * @throws CommandError when the port file can't be written, or a server failed
   */
  run(onListening?: () => void): Promise<void>;
  /** Takes no new clients, gives the open ones the time that the options say, and ends. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): void;
}

/**
 * Opens a server on each of the addresses: all of them or, with an error, none.
 *
 * @throws CommandError with the one line that says why not
 */
export async function openServing(
  endpoints: readonly Endpoint[],
  options: ServingOptions,
): Promise<ReportingServing> {
  const bound: BoundSocket[] = [];
  try {
    for (const endpoint of endpoints) bound.push(...(await bindEndpoint(endpoint, options.option)));
    await options.whenBound?.();
    return new Servers(bound, options);
  } catch (error) {
    for (const { socket, cleanUp } of bound) {
      socket.close();
      cleanUp();
    }
    throw error;
  }
}

class Servers implements ReportingServing {
  readonly addresses: readonly string[];
  #bound: readonly BoundSocket[];
  #options: ServingOptions;
  readonly reporter: Reporter;
  #servers: readonly SocketServer[];

  constructor(bound: readonly BoundSocket[], options: ServingOptions) {
    this.#bound = bound;
    this.#options = options;
    this.reporter = new Reporter(options);
    this.addresses = bound.map(({ socket, endpoint }) =>
      formatAddress(endpoint.transport, socket.getsockname()),
    );
    const limit = new ConnectionLimit(options.maxConnections);
    const shared = { limit, reporter: this.reporter };
    this.#servers = bound.map((one) => options.makeServer(one, shared));
  }

  async run(onListening?: () => void): Promise<void> {
    if (this.#options.portFile !== undefined) writePortFile(this.#options.portFile, this.#bound);
    const finished = Promise.all(this.#servers.map((server) => server.run()));
    for (const address of this.addresses) this.reporter.tell({ type: 'listening', address });
    onListening?.();
    await finished;
  }

  async drain(): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    const drained = this.#servers.map((server) => server.drain(drainTimeoutMs));
    this.#removeFiles();
    const connections = this.#servers.reduce((sum, server) => sum + server.connections, 0);
    if (connections > 0) {
      this.reporter.tell({ type: 'draining', connections, seconds: drainTimeoutMs / 1000 });
    }
    await Promise.all(drained);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#removeFiles();
  }

  #removeFiles(): void {
    for (const { cleanUp } of this.#bound) cleanUp();
  }
}

import { setMaxListeners } from 'node:events';
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import { CommandError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import { bindEndpoint, type BoundSocket } from './bind-endpoint.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { datagramAnswer } from './datagram-answer.ts';
import { DatagramServer } from './datagram-server.ts';
import { Reporter } from './reporter.ts';
import type { ServeOptions } from './serve-options.ts';
import { makeSession } from './session.ts';
import { StreamServer } from './stream-server.ts';

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
  options: ServeOptions,
): Promise<Serving> {
  const bound: BoundSocket[] = [];
  try {
    for (const endpoint of endpoints) bound.push(...(await bindEndpoint(endpoint)));
    return new Servers(bound, options);
  } catch (error) {
    for (const { socket, cleanUp } of bound) {
      socket.close();
      cleanUp();
    }
    throw error;
  }
}

class Servers implements Serving {
  readonly addresses: readonly string[];
  #bound: readonly BoundSocket[];
  #options: ServeOptions;
  #reporter: Reporter;
  #servers: readonly (StreamServer | DatagramServer)[];

  constructor(bound: readonly BoundSocket[], options: ServeOptions) {
    this.#bound = bound;
    this.#options = options;
    this.#reporter = new Reporter(options);
    this.addresses = bound.map(({ socket, endpoint }) =>
      formatAddress(endpoint.transport, socket.getsockname()),
    );
    const limit = new ConnectionLimit(options.maxConnections);
    this.#servers = bound.map((one) => this.#makeServer(one, limit));
  }

  #makeServer(
    { socket, endpoint: { transport } }: BoundSocket,
    limit: ConnectionLimit,
  ): StreamServer | DatagramServer {
    const reporter = this.#reporter;
    if (isConnectionless(transport)) {
      return new DatagramServer(socket, {
        transport,
        answer: datagramAnswer(this.#options),
        reporter,
      });
    }
    const session = makeSession(this.#options, keepsMessages(transport));
    return new StreamServer(socket, { transport, session, limits: this.#options, limit, reporter });
  }

  async run(onListening?: () => void): Promise<void> {
    if (this.#options.portFile !== undefined) writePortFile(this.#options.portFile, this.#bound);
    const finished = Promise.all(this.#servers.map((server) => server.run()));
    for (const address of this.addresses) this.#reporter.tell({ type: 'listening', address });
    onListening?.();
    await finished;
  }

  async drain(): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    for (const server of this.#servers) if (server instanceof StreamServer) server.stopListening();
    this.#removeFiles();
    const connections = this.#servers.reduce((sum, server) => sum + server.connections, 0);
    if (connections > 0) {
      this.#reporter.tell({ type: 'draining', connections, seconds: drainTimeoutMs / 1000 });
    }
    const deadline = new AbortController();
    // Each server listens to it, and Node warns of more than ten.
    setMaxListeners(0, deadline.signal);
    // setTimeout takes at most 2^31 - 1 ms.
    const timer = Number.isFinite(drainTimeoutMs)
      ? setTimeout(() => deadline.abort(), Math.min(drainTimeoutMs, 0x7fffffff))
      : undefined;
    await Promise.all(this.#servers.map((server) => server.drain(deadline.signal)));
    clearTimeout(timer);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#removeFiles();
  }

  #removeFiles(): void {
    for (const { cleanUp } of this.#bound) cleanUp();
  }
}

/** One line an address: its port, or the whole address where it has none. Appears all at once. */
function writePortFile(file: string, bound: readonly BoundSocket[]): void {
  const lines = bound.map(({ socket, endpoint }) => {
    const address = socket.getsockname();
    return 'port' in address ? String(address.port) : formatAddress(endpoint.transport, address);
  });
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, `${lines.join('\n')}\n`, { flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EEXIST') unlinkQuietly(temporary);
    throw new CommandError(`cannot write --port-file ${file}: ${code}`, 1, { cause: error });
  }
}

function unlinkQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It was never made.
  }
}

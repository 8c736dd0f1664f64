import type { TlsOptions } from 'node:tls';
import { ConnectionLimit, serverLimits } from '@sockeye/net/server';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import type { OptionSetting } from '../channel/socket-settings.ts';
import { bindEndpoint, type BoundSocket } from '../serve/bind-endpoint.ts';
import { ConnectionServer } from '../serve/connection-server.ts';
import type { Serving } from '../serve/open-serving.ts';
import { Reporter } from '../serve/reporter.ts';
import { BenchDatagramServer } from './bench-datagram-server.ts';
import { benchSession } from './bench-session.ts';

export interface BenchServerOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly settings?: readonly OptionSetting[] | undefined;
  /** For tls://. */
  readonly tls?: TlsOptions | undefined;
}

/**
 * Opens the server side on an endpoint.
 *
 * @throws CommandError with the one line that says why not
 */
export async function openBenchServer(
  endpoint: Endpoint,
  options: BenchServerOptions,
): Promise<Serving> {
  return new BenchServers(await bindEndpoint(endpoint, options.settings), options);
}

class BenchServers implements Serving {
  readonly addresses: readonly string[];
  #bound: readonly BoundSocket[];
  #reporter: Reporter;
  #servers: readonly (ConnectionServer | BenchDatagramServer)[];

  constructor(bound: readonly BoundSocket[], options: BenchServerOptions) {
    this.#bound = bound;
    this.#reporter = new Reporter({ json: options.json, quiet: options.quiet, verbose: false });
    this.addresses = bound.map(({ socket, endpoint }) =>
      formatAddress(endpoint.transport, socket.getsockname()),
    );
    const limits = serverLimits({});
    const limit = new ConnectionLimit(limits.maxConnections);
    this.#servers = bound.map(({ socket, endpoint: { transport } }) => {
      if (isConnectionless(transport)) return new BenchDatagramServer(socket, transport);
      const session = benchSession(keepsMessages(transport));
      return new ConnectionServer(socket, {
        transport,
        session,
        limits,
        limit,
        reporter: this.#reporter,
        tls: options.tls,
      });
    });
  }

  async run(onListening?: () => void): Promise<void> {
    const finished = Promise.all(this.#servers.map((server) => server.run()));
    for (const address of this.addresses) this.#reporter.tell({ type: 'listening', address });
    onListening?.();
    await finished;
  }

  /** A benchmark that is cut short is worth nothing: nobody is waited for. */
  drain(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const { cleanUp } of this.#bound) cleanUp();
  }
}

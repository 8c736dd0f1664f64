import type { InetAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { TCPServer } from './tcp-server.ts';
import { processPool } from './workers/process-pool.ts';
import type { ForkingOptions } from './workers/worker-options.ts';

/**
 * A TCPServer whose handlers run in child processes: each connection is sent to the least busy
 * process of a bounded pool (SCM_RIGHTS). Where Python forks for each request, the processes here
 * stay: they share nothing with the server but what they are sent, and each runs many handlers.
 *
 * What a handler throws comes to `handleError` as a HandlerError. A process that dies is replaced;
 * connections that it had begun with are reported as failed, others go to other processes.
 *
 * Source: Python's socketserver.ForkingTCPServer; unix(7).
 *
 * @example
 * // handler.js: export default class extends StreamRequestHandler { … }
 * const module = new URL('./handler.js', import.meta.url);
 * const server = new ForkingTCPServer({ host: '127.0.0.1', port: 0 }, module, { processes: 4 });
 * await server.serveForever();
 */
export class ForkingTCPServer extends TCPServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<InetAddress>,
    handlerModule: URL | string,
    options: ForkingOptions = {},
  ) {
    super(address, processPool(handlerModule, options), options);
  }
}

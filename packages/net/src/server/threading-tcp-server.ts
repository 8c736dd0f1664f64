import type { InetAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { TCPServer } from './tcp-server.ts';
import { threadPool } from './workers/thread-pool.ts';
import type { ThreadingOptions } from './workers/worker-options.ts';

/**
 * A TCPServer whose handlers run in worker threads: each connection moves to the least busy thread
 * of a bounded pool, descriptor and all. A thread runs many handlers at a time; a connection that
 * would wait for a handler that computes goes to another thread.
 *
 * What a handler throws comes to `handleError` as a HandlerError. A thread that dies is replaced;
 * connections that it had begun with are reported as failed, others go to other threads.
 *
 * Source: Python's socketserver.ThreadingTCPServer.
 *
 * @example
 * // handler.js: export default class extends StreamRequestHandler { … }
 * const module = new URL('./handler.js', import.meta.url);
 * const server = new ThreadingTCPServer({ host: '127.0.0.1', port: 0 }, module, { threads: 4 });
 * await server.serveForever();
 */
export class ThreadingTCPServer extends TCPServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<InetAddress>,
    handlerModule: URL | string,
    options: ThreadingOptions = {},
  ) {
    super(address, threadPool(handlerModule, options), options);
  }
}

import type { InetAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { UDPServer } from './udp-server.ts';
import { threadPool } from './workers/thread-pool.ts';
import type { ThreadingOptions } from './workers/worker-options.ts';

/**
 * A UDPServer whose handlers run in worker threads (see ThreadingTCPServer). A thread answers on a
 * duplicate of the server's socket.
 *
 * Source: Python's socketserver.ThreadingUDPServer.
 */
export class ThreadingUDPServer extends UDPServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<InetAddress>,
    handlerModule: URL | string,
    options: ThreadingOptions = {},
  ) {
    super(address, threadPool(handlerModule, options), options);
  }
}

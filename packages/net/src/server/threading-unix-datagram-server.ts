import type { UnixAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { UnixDatagramServer } from './unix-datagram-server.ts';
import { threadPool } from './workers/thread-pool.ts';
import type { ThreadingOptions } from './workers/worker-options.ts';

/**
 * A UnixDatagramServer whose handlers run in worker threads (see ThreadingTCPServer).
 *
 * Source: Python's socketserver.ThreadingUnixDatagramServer.
 */
export class ThreadingUnixDatagramServer extends UnixDatagramServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<UnixAddress>,
    handlerModule: URL | string,
    options: ThreadingOptions = {},
  ) {
    super(address, threadPool(handlerModule, options), options);
  }
}

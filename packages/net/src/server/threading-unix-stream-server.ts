import type { UnixAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';
import { threadPool } from './workers/thread-pool.ts';
import type { ThreadingOptions } from './workers/worker-options.ts';

/**
 * A UnixStreamServer whose handlers run in worker threads (see ThreadingTCPServer).
 *
 * Source: Python's socketserver.ThreadingUnixStreamServer.
 */
export class ThreadingUnixStreamServer extends UnixStreamServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<UnixAddress>,
    handlerModule: URL | string,
    options: ThreadingOptions = {},
  ) {
    super(address, threadPool(handlerModule, options), options);
  }
}

import type { UnixAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { UnixDatagramServer } from './unix-datagram-server.ts';
import { processPool } from './workers/process-pool.ts';
import type { ForkingOptions } from './workers/worker-options.ts';

/**
 * A UnixDatagramServer whose handlers run in child processes (see ForkingUDPServer).
 *
 * Source: Python's socketserver.ForkingMixIn.
 */
export class ForkingUnixDatagramServer extends UnixDatagramServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<UnixAddress>,
    handlerModule: URL | string,
    options: ForkingOptions = {},
  ) {
    super(address, processPool(handlerModule, options), options);
  }
}

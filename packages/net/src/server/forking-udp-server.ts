import type { InetAddress } from '../address/index.ts';
import type { BindAddress } from './socket-server.ts';
import { UDPServer } from './udp-server.ts';
import { processPool } from './workers/process-pool.ts';
import type { ForkingOptions } from './workers/worker-options.ts';

/**
 * A UDPServer whose handlers run in child processes (see ForkingTCPServer). A process answers on a
 * duplicate of the server's socket; a datagram may be 64 KiB long.
 *
 * Source: Python's socketserver.ForkingUDPServer.
 */
export class ForkingUDPServer extends UDPServer {
  /** @param handlerModule a module's URL or path; its default export is the class of handlers */
  constructor(
    address: BindAddress<InetAddress>,
    handlerModule: URL | string,
    options: ForkingOptions = {},
  ) {
    super(address, processPool(handlerModule, options), options);
  }
}

import { need } from './need.js';
import { spread } from './spread.js';

const { serve } = await need('@sockeye/net/server', 'serve');
// A benchmark opens more at once, from fewer addresses, than a server's default allows.
const LIMITS = { maxConnections: Infinity, maxConnectionsPerAddress: Infinity, backlog: 4096 };
const TIMES = { firstByteTimeoutMs: Infinity, idleTimeoutMs: Infinity };

/** A server of the stream path on 127.0.0.1, any port. */
export function serveRole(handle) {
  return spread(async (port, shared) => {
    const options = { ...LIMITS, ...TIMES, reusePort: shared };
    const server = await serve({ host: '127.0.0.1', port }, handle, options);
    return server.address.port;
  });
}

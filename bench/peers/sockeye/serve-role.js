import { ready } from '../control.js';
import { need } from './need.js';

const { serve } = await need('@sockeye/net/server', 'serve');
// A benchmark opens more at once, from fewer addresses, than a server's default allows.
const LIMITS = { maxConnections: Infinity, maxConnectionsPerAddress: Infinity, backlog: 4096 };
const TIMES = { firstByteTimeoutMs: Infinity, idleTimeoutMs: Infinity };

/** A server of the stream path on 127.0.0.1, any port. */
export async function serveRole(handle) {
  const server = await serve({ host: '127.0.0.1', port: 0 }, handle, { ...LIMITS, ...TIMES });
  ready(server.address.port);
}

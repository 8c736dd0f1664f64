import { ready } from '../control.js';
import { need } from './need.js';

const { Socket, IPPROTO_TCP, TCP_NODELAY } = await need('@sockeye/net', 'Socket');
const BACKLOG = 4096;
// The peer is gone: no error of the server's.
const GONE = new Set(['ECONNRESET', 'EPIPE']);

/** Listens on 127.0.0.1, any port, and runs `handle` for each connection. */
export async function listen(handle) {
  const listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen(BACKLOG);
  ready(listener.getsockname().port);
  for await (const [connection] of listener) {
    connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
    void run(handle, connection);
  }
}

async function run(handle, connection) {
  try {
    await handle(connection);
  } catch (error) {
    if (!GONE.has(error.code)) throw error;
  } finally {
    connection.close();
  }
}

import { need } from './need.js';
import { spread } from './spread.js';

const net = await need('@sockeye/net', 'Socket');
const BACKLOG = 4096;
// The peer is gone: no error of the server's.
const GONE = new Set(['ECONNRESET', 'EPIPE']);

/** Listens on 127.0.0.1, any port, and runs `handle` for each connection. */
export function listen(handle) {
  return spread((port, shared) => {
    const listener = new net.Socket();
    if (shared) listener.setsockopt(net.SOL_SOCKET, net.SO_REUSEPORT, true);
    listener.bind({ host: '127.0.0.1', port });
    listener.listen(BACKLOG);
    void acceptAll(listener, handle);
    return listener.getsockname().port;
  });
}

async function acceptAll(listener, handle) {
  for await (const [connection] of listener) {
    connection.setsockopt(net.IPPROTO_TCP, net.TCP_NODELAY, true);
    void run(handle, connection);
  }
}

// No function that awaits the handler: the frame of one is 370 bytes of a connection that idles.
function run(handle, connection) {
  return handle(connection).then(
    () => connection.close(),
    (error) => {
      connection.close();
      if (!GONE.has(error.code)) throw error;
    },
  );
}

import net from 'node:net';
import { ready } from '../control.js';

/** Listens on 127.0.0.1, any port, and hands over each connection. */
export function serve(handle, options = {}) {
  const server = net.createServer({ noDelay: true, ...options }, (socket) => {
    socket.on('error', () => socket.destroy());
    handle(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => ready(server.address().port));
}

import cluster from 'node:cluster';
import net from 'node:net';
import { option, ready } from '../control.js';

const processes = Number(option('processes') ?? 1);

function listen(handle, options) {
  const server = net.createServer({ noDelay: true, ...options }, (socket) => {
    socket.on('error', () => socket.destroy());
    handle(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    if (cluster.isPrimary) ready(server.address().port);
  });
}

/** Workers that listen on port 0 all get the same one. */
function fork() {
  let listening = 0;
  cluster.on('listening', (_worker, { port }) => {
    listening += 1;
    if (listening === processes) ready(port);
  });
  for (let i = 0; i < processes; i++) cluster.fork();
}

/** Listens on 127.0.0.1, any port, and hands over each connection; --processes N is a cluster. */
export function serve(handle, options = {}) {
  if (cluster.isPrimary && processes > 1) fork();
  else listen(handle, options);
}

import { ready } from '../control.js';

/** A UDP socket on 127.0.0.1, any port, that hands over each datagram. */
export async function bind(handle) {
  const socket = Deno.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 });
  ready(socket.addr.port);
  for await (const [data, remote] of socket) handle(socket, data, remote);
}

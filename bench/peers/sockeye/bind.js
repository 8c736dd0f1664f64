import { ready } from '../control.js';
import { need } from './need.js';

const net = await need('@sockeye/net', 'Socket');
const BUFFER_BYTES = 4 << 20;

/** A UDP socket on 127.0.0.1, any port. */
export function bind() {
  const socket = new net.Socket(net.AF_INET, net.SOCK_DGRAM);
  socket.setsockopt(net.SOL_SOCKET, net.SO_RCVBUF, BUFFER_BYTES);
  socket.setsockopt(net.SOL_SOCKET, net.SO_SNDBUF, BUFFER_BYTES);
  socket.bind({ host: '127.0.0.1', port: 0 });
  ready(socket.getsockname().port);
  return socket;
}

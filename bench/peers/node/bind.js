import dgram from 'node:dgram';
import { ready } from '../control.js';

const BUFFER_BYTES = 4 << 20;

/** A UDP socket on 127.0.0.1, any port, that hands over each datagram. */
export function bind(handle) {
  const socket = dgram.createSocket({
    type: 'udp4',
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
  });
  socket.on('message', (data, remote) => handle(socket, data, remote));
  socket.bind({ address: '127.0.0.1', port: 0 }, () => ready(socket.address().port));
}

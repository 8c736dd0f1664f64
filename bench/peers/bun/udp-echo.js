import { ready } from '../control.js';

const socket = await Bun.udpSocket({
  hostname: '127.0.0.1',
  socket: { data: (udp, data, port, address) => void udp.send(data, port, address) },
});
ready(socket.port);

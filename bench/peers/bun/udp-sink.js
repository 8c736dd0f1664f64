import { ready } from '../control.js';
import { ASK_BYTES, countAnswer } from '../one-way.js';

let count = 0;

const socket = await Bun.udpSocket({
  hostname: '127.0.0.1',
  socket: {
    data(udp, data, port, address) {
      if (data.length !== ASK_BYTES) count += 1;
      else udp.send(countAnswer(count), port, address);
    },
  },
});
ready(socket.port);

import { ready } from '../control.js';
import { ASK_BYTES, countAnswer, parseRequest, REQUEST_BYTES } from '../one-way.js';

// Datagrams of one sendMany; arbitrary.
const BATCH = 64;
let count = 0;

async function sendAll(udp, request, port, address) {
  const data = Buffer.alloc(request.size, 'x');
  const batch = Array.from({ length: BATCH }, () => [data, port, address]).flat();
  for (let left = request.count; left > 0; ) {
    const sent = udp.sendMany(left >= BATCH ? batch : batch.slice(0, left * 3));
    count += sent;
    left -= sent;
    if (sent === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const socket = await Bun.udpSocket({
  hostname: '127.0.0.1',
  socket: {
    data(udp, data, port, address) {
      if (data.length === ASK_BYTES) udp.send(countAnswer(count), port, address);
      if (data.length === REQUEST_BYTES) void sendAll(udp, parseRequest(data), port, address);
    },
  },
});
ready(socket.port);

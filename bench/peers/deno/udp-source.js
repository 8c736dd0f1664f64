import { ASK_BYTES, countAnswer, parseRequest, REQUEST_BYTES } from '../one-way.js';
import { bind } from './bind.js';

let count = 0;

async function sendAll(socket, request, remote) {
  const data = new Uint8Array(request.size).fill(120);
  for (let left = request.count; left > 0; left--) {
    await socket.send(data, remote);
    count += 1;
  }
}

await bind((socket, data, remote) => {
  if (data.length === ASK_BYTES) void socket.send(countAnswer(count), remote);
  if (data.length === REQUEST_BYTES) void sendAll(socket, parseRequest(data), remote);
});

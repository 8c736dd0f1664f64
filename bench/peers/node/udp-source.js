import { ASK_BYTES, countAnswer, parseRequest, REQUEST_BYTES } from '../one-way.js';
import { bind } from './bind.js';

// Sends under way at once; arbitrary, more brought nothing.
const WINDOW = 64;
let count = 0;

function sendWindow(socket, data, remote, left) {
  const now = Math.min(left, WINDOW);
  let settled = 0;
  const sent = () => {
    count += 1;
    settled += 1;
    if (settled === now && left > now) sendWindow(socket, data, remote, left - now);
  };
  for (let i = 0; i < now; i++) socket.send(data, remote.port, remote.address, sent);
}

bind((socket, data, remote) => {
  if (data.length === ASK_BYTES) {
    socket.send(countAnswer(count), remote.port, remote.address);
  } else if (data.length === REQUEST_BYTES) {
    const request = parseRequest(data);
    sendWindow(socket, Buffer.alloc(request.size, 'x'), remote, request.count);
  }
});

import { ASK_BYTES, countAnswer } from '../one-way.js';
import { bind } from './bind.js';

let count = 0;

bind((socket, data, remote) => {
  if (data.length !== ASK_BYTES) count += 1;
  else socket.send(countAnswer(count), remote.port, remote.address);
});

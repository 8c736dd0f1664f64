import { ASK_BYTES, countAnswer } from '../one-way.js';
import { bind } from './bind.js';

let count = 0;

await bind((socket, data, remote) => {
  if (data.length !== ASK_BYTES) count += 1;
  else void socket.send(countAnswer(count), remote);
});

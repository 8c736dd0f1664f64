import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { option } from '../control.js';
import { serve } from './serve.js';

const path = option('path');

serve((socket) => {
  socket.resume();
  pipeline(createReadStream(path), socket, () => {});
});

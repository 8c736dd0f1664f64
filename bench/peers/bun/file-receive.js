import { closeSync, openSync } from 'node:fs';
import { option } from '../control.js';
import { serve } from './serve.js';

const path = option('path');
const BUFFER_BYTES = 1 << 20;

serve({
  open(socket) {
    // Bun's writer leaves what a longer file held.
    closeSync(openSync(path, 'w'));
    socket.data.file = Bun.file(path).writer({ highWaterMark: BUFFER_BYTES });
  },
  data: (socket, chunk) => void socket.data.file.write(chunk),
  async end(socket) {
    await socket.data.file.end();
    socket.end();
  },
});

import { option } from '../control.js';
import { serve, write } from './serve.js';

const path = option('path');

async function send(socket) {
  for await (const chunk of Bun.file(path).stream()) {
    if (!write(socket, chunk)) await new Promise((resolve) => (socket.data.resume = resolve));
  }
  socket.end();
}

serve({
  open: (socket) => void send(socket),
  drained: (socket) => socket.data.resume?.(),
  data() {},
});

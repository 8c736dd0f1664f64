import { serve, write } from './serve.js';

const chunk = Buffer.alloc(64 << 10, 'x');

function send(socket) {
  while (write(socket, chunk)) {}
}

serve({ open: send, drained: send, data() {} });

import { serve } from './serve.js';

const chunk = Buffer.alloc(64 << 10, 'x');

serve((socket) => {
  const send = () => {
    while (socket.write(chunk)) {}
  };
  socket.on('drain', send);
  socket.resume();
  send();
});

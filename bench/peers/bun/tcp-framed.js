// Bun has no cork: its guide says to join small messages and write once.
import { frame, FrameReader } from '../frames.js';
import { serve, write } from './serve.js';

serve({
  open(socket) {
    socket.data.reader = new FrameReader();
  },
  data(socket, chunk) {
    const answers = [];
    socket.data.reader.push(chunk, (message) => answers.push(frame(message)));
    if (answers.length > 0) write(socket, Buffer.concat(answers));
  },
});

// --cork holds the answers of a chunk back and writes them at once.
import { flag } from '../control.js';
import { frame, FrameReader } from '../frames.js';
import { serve } from './serve.js';

const cork = flag('cork');

serve((socket) => {
  const reader = new FrameReader();
  socket.on('data', (chunk) => {
    if (cork) socket.cork();
    reader.push(chunk, (message) => socket.write(frame(message)));
    if (cork) socket.uncork();
  });
});

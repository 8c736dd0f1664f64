import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { option } from '../control.js';
import { serve } from './serve.js';

const path = option('path');

serve((socket) => pipeline(socket, createWriteStream(path), () => socket.end()), {
  allowHalfOpen: true,
});

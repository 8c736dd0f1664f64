import { serve } from './serve.js';

serve((socket) => socket.resume());

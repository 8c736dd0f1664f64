import { serve, write } from './serve.js';

serve({ data: (socket, chunk) => write(socket, chunk) });

import { listen } from '../listen.js';

const chunk = Buffer.alloc(64 << 10, 'x');

await listen(async (connection) => {
  for (;;) await connection.sendall(chunk);
});

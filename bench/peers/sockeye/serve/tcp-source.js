import { serveRole } from '../serve-role.js';

const chunk = Buffer.alloc(64 << 10, 'x');

await serveRole(async (connection) => {
  for (;;) await connection.sendall(chunk);
});

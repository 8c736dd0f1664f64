import { serveRole } from '../serve-role.js';

await serveRole(async (connection) => {
  for await (const chunk of connection) await connection.sendall(chunk);
});

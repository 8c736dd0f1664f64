import { listen } from '../listen.js';

await listen(async (connection) => {
  for await (const chunk of connection) await connection.sendall(chunk);
});

import { serveRole } from '../serve-role.js';

await serveRole(async (connection) => {
  for await (const _ of connection) {
  }
});

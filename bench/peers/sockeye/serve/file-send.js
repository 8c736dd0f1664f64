import { option } from '../../control.js';
import { serveRole } from '../serve-role.js';

const path = option('path');

await serveRole(async (connection) => {
  await connection.socket.sendfile(path);
});

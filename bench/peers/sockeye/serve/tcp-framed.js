import { frame, FrameReader } from '../../frames.js';
import { serveRole } from '../serve-role.js';

await serveRole(async (connection) => {
  const reader = new FrameReader();
  for await (const chunk of connection) {
    const sent = [];
    reader.push(chunk, (message) => sent.push(connection.sendall(frame(message))));
    await Promise.all(sent);
  }
});

import { need } from '../need.js';
import { serveRole } from '../serve-role.js';

const { framed } = await need('@sockeye/net/framed', 'framed');
const { lengthPrefix } = await need('@sockeye/net/codec', 'lengthPrefix');
const codec = lengthPrefix({ bytes: 4, endian: 'big' });

await serveRole(async (connection) => {
  const messages = framed(connection, codec, { frameTimeoutMs: Infinity });
  for await (const batch of messages.batches()) {
    for (const message of batch) void messages.send(message);
  }
});

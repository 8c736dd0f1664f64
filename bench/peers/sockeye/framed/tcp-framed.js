import { need } from '../need.js';
import { serveRole } from '../serve-role.js';

const { framed } = await need('@sockeye/net/framed', 'framed');
const { lengthPrefix } = await need('@sockeye/net/codec', 'lengthPrefix');
const codec = lengthPrefix({ bytes: 4, endian: 'big' });

await serveRole(async (connection) => {
  const messages = framed(connection, codec, { frameTimeoutMs: Infinity });
  // Not awaited one by one, so that the answers of a turn leave together; the
  // loop ends with the error that a send of it would have.
  for await (const message of messages) void messages.send(message);
});

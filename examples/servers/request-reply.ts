// Requests and replies as messages: four bytes of length, then JSON. It doesn't matter how TCP cuts
// them.
// Run: node examples/dist/servers/request-reply.js [PORT]
import { lengthPrefix } from '@sockeye/net/codec';
import { framed } from '@sockeye/net/framed';
import { serve } from '@sockeye/net/server';

const server = await serve(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
  async (connection) => {
    const messages = framed(connection, lengthPrefix({ bytes: 4, endian: 'big' }));
    for await (const message of messages) {
      const { add } = JSON.parse(Buffer.from(message).toString()) as { add: number[] };
      const sum = add.reduce((total, number) => total + number, 0);
      await messages.send(Buffer.from(JSON.stringify({ sum })));
    }
  },
);
// A request that is no JSON ends its own connection; this says so.
server.on('error', (error) => console.error(error));
const { port } = server.address as { port: number };
console.log(`listening on 127.0.0.1:${port}`);
process.once('SIGTERM', () => void server.drain());

// Greets each client with its own address and ends the connection.
// Run: node examples/dist/servers/hello.js [PORT]    Talk to it: nc 127.0.0.1 PORT
import { serve } from '@sockeye/net/server';

const server = await serve(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
  async (connection) => {
    const { host, port } = connection.remote as { host: string; port: number };
    await connection.sendall(Buffer.from(`Hello, ${host}:${port}!\n`));
  },
);
const { port } = server.address as { port: number };
console.log(`listening on 127.0.0.1:${port}`);
process.once('SIGTERM', () => void server.drain());

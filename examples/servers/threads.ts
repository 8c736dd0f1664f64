// Counts primes, which takes the processor: each connection is handled in one of several threads, so
// that a long count holds up nobody.
// Run: node examples/dist/servers/threads.js [PORT]    Talk to it: nc 127.0.0.1 PORT
import { ThreadingTCPServer } from '@sockeye/net/server';

const server = new ThreadingTCPServer(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
  new URL('./primes-handler.js', import.meta.url),
  { threads: 2 },
);
console.log(`listening on 127.0.0.1:${server.serverAddress.port}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

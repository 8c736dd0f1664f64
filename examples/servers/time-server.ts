// Tells the time and ends the connection, as RFC 867's daytime does. The handler takes the Socket as
// it is.
// Run: node examples/dist/servers/time-server.js [PORT]    Ask it: nc 127.0.0.1 PORT
import type { Socket } from '@sockeye/net';
import { BaseRequestHandler, TCPServer } from '@sockeye/net/server';

class Daytime extends BaseRequestHandler<Socket<number>> {
  override async handle(): Promise<void> {
    await this.request.sendall(Buffer.from(`${new Date().toISOString()}\r\n`));
  }
}

const server = new TCPServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) }, Daytime);
console.log(`listening on 127.0.0.1:${server.serverAddress.port}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

// A UDP server: each datagram comes back in capitals.
// Run: node examples/dist/servers/udp.js [PORT]    Talk to it: nc -u 127.0.0.1 PORT
import { DatagramRequestHandler, UDPServer } from '@sockeye/net/server';

class Capitals extends DatagramRequestHandler {
  override async handle(): Promise<void> {
    await this.wfile.write(Buffer.from(this.packet.toString().toUpperCase()));
  }
}

const server = new UDPServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) }, Capitals);
console.log(`listening on 127.0.0.1:${server.serverAddress.port}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

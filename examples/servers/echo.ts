// Python's socketserver in TypeScript: a greeting, an echo with a prefix, and `quit` to end.
// Run: node examples/dist/servers/echo.js [PORT]    Talk to it: nc 127.0.0.1 PORT
import { StreamRequestHandler, TCPServer } from '@sockeye/net/server';

class Echo extends StreamRequestHandler {
  override async handle(): Promise<void> {
    await this.wfile.write(Buffer.from('welcome; quit ends\n'));
    for await (const line of this.rfile) {
      if (line.toString().trim() === 'quit') break;
      await this.wfile.write(Buffer.concat([Buffer.from('you said: '), line]));
    }
  }
}

const server = new TCPServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) }, Echo);
console.log(`listening on 127.0.0.1:${server.serverAddress.port}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

// A server on a Unix socket: counts the words of each line. The socket's file goes with the server.
// Run: node examples/dist/servers/unix.js PATH    Talk to it: nc -U PATH
import { StreamRequestHandler, UnixStreamServer } from '@sockeye/net/server';

class Words extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) {
      const words = line
        .toString()
        .split(/\s+/)
        .filter((word) => word !== '');
      await this.wfile.write(Buffer.from(`${words.length}\n`));
    }
  }
}

const path = process.argv[2] ?? '/tmp/sockeye-words';
const server = new UnixStreamServer({ path }, Words);
console.log(`listening on ${path}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

// Rolls dice: each line is how many, the answer that many random numbers from 1 to 6.
// Run: node examples/dist/servers/random-numbers.js [PORT]
import { randomInt } from 'node:crypto';
import { StreamRequestHandler, TCPServer } from '@sockeye/net/server';

class Dice extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) {
      const rolls = Math.min(Math.max(Number(line.toString()) || 1, 1), 100);
      const numbers = Array.from({ length: rolls }, () => randomInt(1, 7));
      await this.wfile.write(Buffer.from(`${numbers.join(' ')}\n`));
    }
  }
}

const server = new TCPServer({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) }, Dice);
console.log(`listening on 127.0.0.1:${server.serverAddress.port}`);
process.once('SIGTERM', () => void server.serverClose());
await server.serveForever();

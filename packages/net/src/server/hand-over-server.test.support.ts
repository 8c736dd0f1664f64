// A server process of hand-over.test.ts: it takes over what its predecessor has, or starts afresh,
// says so, and hands over in its turn. It answers each line with its process id.
import type { Address } from '../address/index.ts';
import { handOver, takeOver } from './hand-over.ts';
import { serve } from './serve.ts';
import { StreamRequestHandler } from './stream-request-handler.ts';
import { TCPServer } from './tcp-server.ts';
import { UnixStreamServer } from './unix-stream-server.ts';

const [control = '', path = ''] = process.argv.slice(2);
const answer = Buffer.from(`${process.pid}\n`);

class Answer<ClientAddress> extends StreamRequestHandler<ClientAddress> {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) if (line.length > 0) await this.wfile.write(answer);
  }
}

using taken = await takeOver(control);
const [first, second, third] = taken?.listeners ?? [];
const anywhere = { host: '127.0.0.1', port: 0 };
const served = await serve(first ?? anywhere, async (connection) => {
  for await (const chunk of connection) if (chunk.length > 0) await connection.sendall(answer);
});
const backlog = 128;
const tcp = new TCPServer(second ?? anywhere, Answer, { backlog });
const unix = new UnixStreamServer(third ?? { path }, Answer, {
  backlog,
});
const serving = Promise.all([tcp.serveForever(), unix.serveForever()]);
await taken?.confirm();
const { done } = handOver([served, tcp, unix], control);
const addresses: Address[] = [served.address, tcp.serverAddress, unix.serverAddress];
process.send?.({ addresses, tookOver: taken !== undefined });
await done;
await serving;
process.disconnect();

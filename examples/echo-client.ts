// A TCP client: sends the lines of stdin, one after another, and prints the answers.
// Run: node examples/dist/echo-client.js HOST PORT
import { createInterface } from 'node:readline';
import { SHUT_WR, Socket } from '@sockeye/net';

const [host = '127.0.0.1', port = '8090'] = process.argv.slice(2);

const socket = new Socket();
socket.settimeout(10);
await socket.connect({ host, port: Number(port) });
socket.settimeout(null);

const printing = printAnswers();
for await (const line of createInterface({ input: process.stdin })) {
  await socket.sendall(Buffer.from(`${line}\n`));
}
// Tells the server that nothing more will come; what it still has to say is read to the end.
socket.shutdown(SHUT_WR);
await printing;
socket.close();

async function printAnswers(): Promise<void> {
  // A character may come in two parts; the decoder keeps the first for the second.
  const decoder = new TextDecoder();
  for (;;) {
    const data = await socket.recv(4096);
    if (data.length === 0) return;
    process.stdout.write(decoder.decode(data, { stream: true }));
  }
}

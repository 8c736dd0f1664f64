// A Unix domain socket: a server and a client, here in one process.
// Run: node examples/dist/unix-socket.js
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AF_UNIX, SHUT_WR, Socket } from '@sockeye/net';

const directory = mkdtempSync(join(tmpdir(), 'sockeye-example-'));
const path = join(directory, 'socket');

const listener = new Socket(AF_UNIX);
listener.bind({ path });
listener.listen();

const client = new Socket(AF_UNIX);
await client.connect({ path });
const [connection] = await listener.accept();

await client.sendall(Buffer.from('through a file name'));
client.shutdown(SHUT_WR);

const pieces: Buffer[] = [];
for (;;) {
  const piece = await connection.recv(4096);
  if (piece.length === 0) break;
  pieces.push(piece);
}
console.log(`the server got: ${Buffer.concat(pieces).toString()}`);

for (const socket of [client, connection, listener]) socket.close();
// Closing a Unix socket leaves its file.
rmSync(directory, { recursive: true });

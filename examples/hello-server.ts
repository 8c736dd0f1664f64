// A TCP server for many clients: it greets each, sends back what comes, and ends a client's session
// at "quit". Run: node examples/dist/hello-server.js [PORT]
// Talk to it: nc 127.0.0.1 PORT
import { SO_REUSEADDR, SOL_SOCKET, Socket, SocketError } from '@sockeye/net';

const listener = new Socket();
listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
listener.listen();
const { host, port } = listener.getsockname();
console.log(`listening on ${host}:${port}`);

// Ends the loop below; the clients that are there may finish.
process.once('SIGTERM', () => listener.close());

for (;;) {
  try {
    const [client, address] = await listener.accept();
    // Not awaited: the next client need not wait for this one.
    void talk(client, `${address.host}:${address.port}`);
  } catch (error) {
    if (listener.closed) break;
    throw error;
  }
}

async function talk(client: Socket, name: string): Promise<void> {
  console.log(`${name} is here`);
  try {
    await client.sendall(Buffer.from('Hello! Send a line, or "quit".\n'));
    for (;;) {
      const data = await client.recv(4096);
      // Empty is the end of the stream: the client closed.
      if (data.length === 0 || data.toString().trim() === 'quit') break;
      await client.sendall(data);
    }
  } catch (error) {
    // A client that dies is no reason for the others to suffer.
    if (!(error instanceof SocketError)) throw error;
    console.log(`${name}: ${error.message}`);
  } finally {
    client.close();
  }
  console.log(`${name} has gone`);
}

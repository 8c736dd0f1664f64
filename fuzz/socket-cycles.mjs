// Creates, sends, receives and closes sockets, many times over, and tells what stayed behind.
//   node --expose-gc fuzz/socket-cycles.mjs [cycles = 1000000]
import { readdirSync } from 'node:fs';
import { AF_UNIX, SOCK_DGRAM, Socket, socketpair } from '@sockeye/net';

const cycles = Number(process.argv[2] ?? 1_000_000);
const message = Buffer.from('a message');
const descriptors = () => readdirSync('/proc/self/fd').length;

async function cycle(listener, address, i) {
  const kind = i % 4;
  if (kind === 0) {
    const client = new Socket();
    await client.connect(address);
    const [server] = await listener.accept();
    await client.sendall(message);
    const got = await server.recv(64);
    if (!got.equals(message)) throw new Error('the message changed');
    client.close();
    server.close();
    return;
  }
  const [left, right] = kind === 1 ? socketpair() : socketpair(AF_UNIX, SOCK_DGRAM);
  if (kind === 3) left.sendSync(message);
  else await left.send(message);
  const got = kind === 3 ? right.recvSync(64) : await right.recv(64);
  if (!got.equals(message)) throw new Error('the message changed');
  left.close();
  right.close();
}

function settledMemory() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage().rss;
}

const listener = new Socket();
listener.bind({ host: '127.0.0.1', port: 0 });
listener.listen();
const address = listener.getsockname();
// Warm: compiled code, the poller, caches.
for (let i = 0; i < 20_000; i++) await cycle(listener, address, i);
const before = { descriptors: descriptors(), rss: settledMemory() };
const started = performance.now();
for (let i = 0; i < cycles; i++) await cycle(listener, address, i);
const seconds = (performance.now() - started) / 1000;
const grown = (settledMemory() - before.rss) / 1024 / 1024;
const left = descriptors() - before.descriptors;
console.log(
  JSON.stringify({
    cycles,
    seconds: Math.round(seconds),
    descriptorsLeft: left,
    grownMiB: Number(grown.toFixed(1)),
  }),
);
process.exit(left === 0 && grown <= 5 ? 0 : 1);

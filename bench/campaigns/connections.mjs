// node --expose-gc bench/campaigns/connections.mjs [connections = 15000] [processes = 1] [MB = 100]
// Idle connections of `serve`, each of which has sent a byte and got it back: what they cost in
// memory, at once and at rest, and whether all are served. With several processes they share a port
// (SO_REUSEPORT).
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from '@sockeye/net';
import { serve } from '@sockeye/net/server';
import { Part, report, residentMiB } from './lib.mjs';

const [role, ...rest] = process.argv.slice(2);
// A client address has 28,000 ports; so many connections come from each.
const PER_ADDRESS = 20_000;
const AT_ONCE = 200;
// V8 gives back what a storm of connections took, half of it, 10 to 16 s after the last allocation.
const REST_MS = 20_000;

async function server(port) {
  const options = {
    backlog: 4_096,
    reusePort: true,
    maxConnections: Infinity,
    idleTimeoutMs: Infinity,
    firstByteTimeoutMs: Infinity,
  };
  const running = await serve(
    { host: '0.0.0.0', port: Number(port) },
    async (connection) => {
      for await (const chunk of connection) await connection.sendall(chunk);
    },
    options,
  );
  process.on('message', () => {
    globalThis.gc();
    process.send({ open: running.connections });
  });
  process.send(running.address.port);
}

async function client(port, first, count) {
  const sockets = [];
  const one = async (i) => {
    const host = `127.0.${1 + Math.floor(i / PER_ADDRESS)}.1`;
    const socket = await createConnection(
      { host: '127.0.0.1', port: Number(port) },
      { sourceAddress: { host, port: 0 } },
    );
    await socket.sendall(Buffer.of(i));
    await socket.recvInto(Buffer.alloc(1));
    sockets.push(socket);
  };
  for (let i = Number(first); i < Number(first) + Number(count); i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => one(i + k)));
  }
  process.on('message', () => process.send(sockets.length));
  process.send('connected');
}

async function main(connections = 15_000, processes = 1, mostMB = 100) {
  const servers = [];
  let port = 0;
  for (let i = 0; i < processes; i++) {
    const part = new Part(import.meta.url, 'server', port);
    port = await part.hear();
    servers.push(part);
  }
  for (const part of servers) await part.ask('collect');
  const memory = () => servers.map(({ pid }) => residentMiB(pid));
  const before = memory();
  const started = performance.now();
  const clients = [];
  for (let first = 0; first < connections; first += 12_000) {
    const count = Math.min(12_000, connections - first);
    const part = new Part(import.meta.url, 'client', port, first, count);
    await part.hear();
    clients.push(part);
  }
  const seconds = (performance.now() - started) / 1000;
  const open = [];
  for (const part of servers) open.push((await part.ask('count')).open);
  const after = memory();
  await sleep(REST_MS);
  const rested = memory();
  const total = open.reduce((sum, each) => sum + each, 0);
  const most = Math.max(...rested);
  const grown = rested.reduce((sum, each, i) => sum + each - before[i], 0);
  report(
    `${total} of ${connections} connections open and answered in ${processes} process(es) ` +
      `(${open.join(', ')}), after ${seconds.toFixed(1)} s; resident in the largest process ` +
      `${Math.max(...after).toFixed(1)} MiB, at rest ${most.toFixed(1)}, ` +
      `${Math.max(...before).toFixed(1)} before the first connection; ` +
      `${((grown * 1024) / total).toFixed(2)} KiB a connection`,
    total === connections && most * 1.048576 <= mostMB,
  );
  for (const part of [...clients, ...servers]) await part.end();
}

if (role === 'server') await server(...rest);
else if (role === 'client') await client(...rest);
else await main(...process.argv.slice(2).map(Number));

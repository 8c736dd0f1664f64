// node bench/campaigns/reuse-port.mjs [connections = 4000] [workers = 2]
// Who gets the connections of one port: threads and processes that each listen on it (SO_REUSEPORT),
// beside a pool whose one listener hands descriptors to the least busy. Echoes a second and CPU are
// `node bench/run.mjs --only processes`; this counts how evenly connections fall.
import { Worker, isMainThread, parentPort, threadId, workerData } from 'node:worker_threads';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createConnection } from '@sockeye/net';
import {
  ForkingTCPServer,
  serve,
  StreamRequestHandler,
  ThreadingTCPServer,
} from '@sockeye/net/server';
import { Part, report } from './lib.mjs';

const name = Buffer.from(`${process.pid}/${threadId}\n`);
const AT_ONCE = 100;
const isEntry = isMainThread && process.argv[1] === fileURLToPath(import.meta.url);

/** Tells each client who serves it, and keeps it. */
export default class Tell extends StreamRequestHandler {
  async handle() {
    await this.wfile.write(name);
    await this.rfile.read();
  }
}

async function listenToo(port) {
  const server = await serve(
    { host: '127.0.0.1', port },
    async (connection) => {
      await connection.sendall(name);
      await connection.recv();
    },
    { reusePort: true, backlog: 4_096 },
  );
  return server.address.port;
}

/** How many connections each worker got, the most first. */
async function shares(address, connections) {
  const counts = new Map();
  const sockets = [];
  const one = async () => {
    const socket = await createConnection(address);
    const who = String(await socket.recv(100));
    counts.set(who, (counts.get(who) ?? 0) + 1);
    sockets.push(socket);
  };
  for (let i = 0; i < connections; i += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  for (const socket of sockets) socket.close();
  return [...counts.values()].sort((a, b) => b - a);
}

/** A fair choice by chance: the largest share lies within four deviations of a fair one. */
const byChance = (connections, workers) =>
  4 * Math.sqrt((connections / workers) * (1 - 1 / workers));

/** A pool weighs what a worker hasn't begun with first, so that a burst shifts it (10 %: arbitrary). */
const byLoad = (connections, workers) => 0.1 * (connections / workers);

function tell(what, counts, connections, workers, tolerance) {
  const most = connections / workers + tolerance(connections, workers);
  const isEven = counts.length === workers && counts[0] <= most;
  report(`${what}: ${counts.join(' + ')} of ${connections} connections`, isEven);
}

async function main(connections = 4_000, workers = 2) {
  const host = '127.0.0.1';
  const url = new URL(import.meta.url);
  const judge = async (what, address, tolerance) =>
    tell(what, await shares(address, connections), connections, workers, tolerance);
  const threads = [];
  let port = 0;
  for (let i = 0; i < workers; i++) {
    const thread = new Worker(url, { workerData: { port } });
    [port] = await once(thread, 'message');
    threads.push(thread);
  }
  await judge(`${workers} threads on one port`, { host, port }, byChance);
  for (const thread of threads) await thread.terminate();
  const parts = [];
  port = 0;
  for (let i = 0; i < workers; i++) {
    const part = new Part(import.meta.url, 'server', port);
    port = await part.hear();
    parts.push(part);
  }
  await judge(`${workers} processes on one port`, { host, port }, byChance);
  for (const part of parts) await part.end();
  for (const Server of [ThreadingTCPServer, ForkingTCPServer]) {
    const options = { threads: workers, processes: workers, backlog: 4_096 };
    const server = new Server({ host, port: 0 }, url, options);
    const serving = server.serveForever();
    await judge(`${Server.name} with ${workers} workers`, server.serverAddress, byLoad);
    await server.serverClose();
    await serving;
  }
}

if (workerData?.port !== undefined) parentPort.postMessage(await listenToo(workerData.port));
else if (isEntry && process.argv[2] === 'server')
  process.send(await listenToo(Number(process.argv[3])));
else if (isEntry) await main(...process.argv.slice(2).map(Number));

// node bench/campaigns/thread-pool.mjs [requests = 60]: what a second thread, or process, adds to
// requests that compute. One worker and two, three times each in turn; at least 1.8 on two processors.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createConnection } from '@sockeye/net';
import { ForkingTCPServer, StreamRequestHandler, ThreadingTCPServer } from '@sockeye/net/server';
import { report } from './lib.mjs';

const LEAST = 1.8;
const ROUNDS = 3;
const ITERATIONS = 30_000_000;
const CLIENTS = 8;
const isMain = process.argv[1] === fileURLToPath(import.meta.url);

/** Computes for a fixed count of steps for each line. */
export default class Compute extends StreamRequestHandler {
  async handle() {
    for await (const line of this.rfile) {
      let x = line.length;
      for (let i = 0; i < ITERATIONS; i++) x = (x * 1664525 + 1013904223) | 0;
      await this.wfile.write(Buffer.from(`${x}\n`));
    }
  }
}

async function seconds(Server, workers, requests) {
  const here = { host: '127.0.0.1', port: 0 };
  const server = new Server(here, new URL(import.meta.url), {
    threads: workers,
    processes: workers,
  });
  const serving = server.serveForever();
  let left = CLIENTS;
  const client = async () => {
    const socket = await createConnection(server.serverAddress);
    const buffer = Buffer.alloc(64);
    while (left-- > 0) {
      await socket.sendall(Buffer.from('go\n'));
      await socket.recvInto(buffer);
    }
    socket.close();
  };
  const all = () => Promise.all(Array.from({ length: CLIENTS }, client));
  // Workers are loaded and compiled by then.
  await all();
  left = requests;
  const started = performance.now();
  await all();
  const took = (performance.now() - started) / 1000;
  await server.serverClose();
  await serving;
  return took;
}

async function main(requests = 60) {
  for (const Server of [ThreadingTCPServer, ForkingTCPServer]) {
    const best = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      for (const workers of [1, 2]) {
        best[workers - 1] = Math.min(best[workers - 1], await seconds(Server, workers, requests));
      }
    }
    const [one, two] = best.map((each) => requests / each);
    report(
      `${Server.name}, ${availableParallelism()} processors: ${one.toFixed(1)} computing requests a ` +
        `second with one worker, ${two.toFixed(1)} with two: ${(two / one).toFixed(2)} times`,
      two / one >= LEAST,
    );
  }
}

if (isMain) await main(process.argv[2] === undefined ? undefined : Number(process.argv[2]));

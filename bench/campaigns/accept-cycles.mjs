// node --expose-gc bench/campaigns/accept-cycles.mjs [cycles = 1000000]
// Connections that `serve` accepts, answers and closes, one after the other over 32 clients: no
// descriptor may be left at the end, and the server may have grown by 10 MiB at most.
import { readdirSync } from 'node:fs';
import { serve } from '@sockeye/net/server';
import { createConnection } from '@sockeye/net';
import { Part, report, residentMiB } from './lib.mjs';

const MOST_GROWTH_MIB = 10;
const CLIENTS = 32;
const [role] = process.argv.slice(2);

async function server() {
  const hello = Buffer.from('hello');
  const running = await serve(
    { host: '127.0.0.1', port: 0 },
    async (connection) => {
      await connection.recv();
      await connection.sendall(hello);
    },
    { backlog: 4_096 },
  );
  process.on('message', () => {
    globalThis.gc();
    const { accepted, closed } = running.counters;
    const descriptors = readdirSync('/proc/self/fd').length;
    process.send({ accepted, closed, descriptors, heap: process.memoryUsage().heapUsed / 2 ** 20 });
  });
  process.send(running.address.port);
}

async function cycles(port, count) {
  let left = count;
  const client = async () => {
    const buffer = Buffer.alloc(16);
    while (left-- > 0) {
      const socket = await createConnection({ host: '127.0.0.1', port });
      await socket.sendall(buffer.subarray(0, 1));
      while ((await socket.recvInto(buffer)) > 0);
      socket.close();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

async function main(count = 1_000_000) {
  const part = new Part(import.meta.url, 'server');
  const port = await part.hear();
  // Code is compiled and pools have their size by then.
  const warm = Math.min(20_000, count);
  await cycles(port, warm);
  const before = { ...(await part.ask('?')), rss: residentMiB(part.pid) };
  const started = performance.now();
  await cycles(port, count);
  const rate = count / ((performance.now() - started) / 1000);
  const after = { ...(await part.ask('?')), rss: residentMiB(part.pid) };
  const growth = after.rss - before.rss;
  report(
    `${after.closed - warm} of ${count} connections accepted and closed, ${Math.round(rate)} a second; ` +
      `${after.descriptors - before.descriptors} descriptors more; ${growth.toFixed(1)} MiB more ` +
      `resident (${before.rss.toFixed(1)} before), heap ${(after.heap - before.heap).toFixed(2)} MiB more`,
    after.closed === warm + count &&
      after.descriptors <= before.descriptors &&
      growth <= MOST_GROWTH_MIB,
  );
  await part.end();
}

if (role === 'server') await server();
else await main(role === undefined ? undefined : Number(role));

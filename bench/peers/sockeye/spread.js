import { fork } from 'node:child_process';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { option, ready } from '../control.js';

const PORT_VARIABLE = 'SOCKEYE_BENCH_PORT';
const argv = process.argv.slice(2);

function startThread(port) {
  return new Worker(process.argv[1], { argv, workerData: port });
}

// stdin stays the first process's: its end ends that one, and with its channel the others.
function startProcess(port) {
  const env = { ...process.env, [PORT_VARIABLE]: `${port}` };
  return fork(process.argv[1], argv, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function startOthers(startOne, count, port) {
  const others = Array.from({ length: count - 1 }, () => startOne(port));
  await Promise.all(others.map((other) => once(other, 'message')));
}

/** The first one: it finds the port and starts the others. */
async function lead(start) {
  const threads = Number(option('threads') ?? 1);
  const processes = Number(option('processes') ?? 1);
  const port = await start(0, threads > 1 || processes > 1);
  await startOthers(startThread, threads, port);
  await startOthers(startProcess, processes, port);
  ready(port);
}

/**
 * Calls `start(port, shared)`, which gives the port, here; with --threads N in N - 1 worker threads
 * more, with --processes N in N - 1 processes more, all on one port.
 */
export async function spread(start) {
  if (!isMainThread) {
    await start(workerData, true);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    parentPort.postMessage('ready');
  } else if (process.env[PORT_VARIABLE] !== undefined) {
    process.once('disconnect', () => process.exit());
    await start(Number(process.env[PORT_VARIABLE]), true);
    process.send('ready');
  } else {
    await lead(start);
  }
}

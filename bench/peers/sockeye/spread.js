import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { option, ready } from '../control.js';

/**
 * Calls `start(port, shared)`, which gives the port, in this thread; with --processes N in N - 1
 * worker threads more, all on one port.
 */
export async function spread(start) {
  if (!isMainThread) {
    await start(workerData, true);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    parentPort.postMessage('ready');
    return;
  }
  const count = Number(option('processes') ?? 1);
  const port = await start(0, count > 1);
  const workers = Array.from(
    { length: count - 1 },
    () => new Worker(process.argv[1], { argv: process.argv.slice(2), workerData: port }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  ready(port);
}

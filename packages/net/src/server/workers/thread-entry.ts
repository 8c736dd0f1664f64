// What a worker thread of a Threading… server runs.

import { parentPort, workerData } from 'node:worker_threads';
import type { Socket } from '../../socket/index.ts';
import { take } from './claims.ts';
import { adopt, HandlerHost } from './handler-host.ts';
import type { Report } from './messages.ts';
import { SOCKET_ID, type ThreadMessage, type ThreadSetup } from './thread-worker.ts';

const setup = workerData as ThreadSetup;
const words = new Int32Array(setup.claims);
const report = (message: Report): void => parentPort?.postMessage(message);
let shared: Socket<number> | undefined;

function onMessage(host: HandlerHost, message: ThreadMessage): void {
  switch (message.kind) {
    case 'socket':
      if (take(words, message.word, SOCKET_ID)) shared = adopt(message.fd, message.socket);
      break;
    case 'run':
      run(host, message);
      break;
    case 'stop':
      // Whatever a handler left running would keep the thread.
      void host.idle().then(() => process.exit());
      break;
  }
}

function run(host: HandlerHost, { job, fd, word }: Extract<ThreadMessage, { kind: 'run' }>): void {
  if (!take(words, word, job.id)) return;
  report({ kind: 'claimed', id: job.id });
  if (job.kind === 'stream') void host.run(job, adopt(fd, job.socket));
  else if (shared !== undefined) void host.run(job, shared);
}

// Until the module is loaded, messages wait in the port.
const host = await HandlerHost.start(setup, report);
if (host !== undefined) parentPort?.on('message', (message) => onMessage(host, message));

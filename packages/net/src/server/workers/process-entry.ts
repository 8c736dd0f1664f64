// What a process of a Forking… server runs.

import { deserialize, serialize } from 'node:v8';
import { AF_UNIX, SOCK_SEQPACKET } from '../../constants/index.ts';
import { recvFds, Socket } from '../../socket/index.ts';
import { adopt, HandlerHost } from './handler-host.ts';
import type { Report } from './messages.ts';
import { CHANNEL_FD, MAX_MESSAGE_BYTES, type ProcessMessage } from './process-worker.ts';

const channel = new Socket<number>(AF_UNIX, SOCK_SEQPACKET, 0, {
  fd: CHANNEL_FD,
});
channel.setinheritable(false);
let shared: Socket<number> | undefined;

/** A server that is gone hears nothing; its handlers go on to their end. */
function report(message: Report): void {
  channel.sendall(serialize(message)).catch(() => undefined);
}

async function receive(): Promise<[ProcessMessage, number] | undefined> {
  const { data, fds } = await recvFds(channel, MAX_MESSAGE_BYTES, 1);
  if (data.length === 0) return undefined;
  return [deserialize(data) as ProcessMessage, fds[0] ?? -1];
}

function onMessage(host: HandlerHost, message: ProcessMessage, fd: number): void {
  if (message.kind === 'offer') report({ kind: 'claimed', id: message.id });
  if (message.kind === 'socket') shared = adopt(fd, message.socket);
  if (message.kind !== 'run') return;
  const { job } = message;
  if (job.kind === 'stream') void host.run(job, adopt(fd, job.socket));
  else if (shared !== undefined) void host.run(job, shared);
}

async function serve(): Promise<void> {
  const [first] = (await receive()) ?? [];
  if (first?.kind !== 'setup') return;
  const host = await HandlerHost.start(first.setup, report);
  if (host === undefined) return;
  for (;;) {
    const received = await receive();
    if (received === undefined) break;
    onMessage(host, ...received);
  }
  await host.idle();
}

await serve();
// Behind the last report. Whatever a handler left running would keep the process.
await channel.sendall(new Uint8Array(0)).catch(() => undefined);
process.exit();

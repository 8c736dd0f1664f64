// The Node side: takes a call from Python, makes it on @sockeye/net, sends back what came of it.
// Every call that may wait is the asynchronous method, so one process serves all of Python's threads.
//
// Descriptors 3, 4 and 5 are the frames, the descriptors that come and the descriptors that go.
import * as net from '@sockeye/net';
import { closeSync } from 'node:fs';
import { calls } from './calls.mjs';
import { Channel } from './channel.mjs';
import { decode, encode, encodeError } from './values.mjs';

const MAX_FDS = 253; // SCM_MAX_FD of the kernel
const incoming = new net.Socket(net.AF_UNIX, net.SOCK_SEQPACKET, 0, { fd: 4 });
const outgoing = new net.Socket(net.AF_UNIX, net.SOCK_SEQPACKET, 0, { fd: 5 });
const running = new Map();

function receiveFds(count) {
  return count === 0 ? [] : net.recvFdsSync(incoming, 1, MAX_FDS).fds;
}

/** Sends descriptors to Python, which reads them when it reads the reply: nothing may come between. */
function sendFds(fds, closeAfter) {
  if (fds.length > 0) net.sendFdsSync(outgoing, [Buffer.alloc(1)], fds);
  for (const fd of closeAfter) closeSync(fd);
}

async function perform(message, raw) {
  const { id, name, args } = message;
  const fds = receiveFds(message.fds ?? 0);
  const controller = new AbortController();
  running.set(id, controller);
  const context = { fds, signal: controller.signal, sendBack: [], closeAfter: [] };
  let reply;
  const parts = [];
  try {
    const result = await calls[name](context, ...decode(args, raw, fds));
    reply = { id, result: encode(result, parts), fds: context.sendBack.length };
  } catch (error) {
    parts.length = 0;
    reply = { id, error: encodeError(error), fds: context.sendBack.length };
  }
  running.delete(id);
  sendFds(context.sendBack, context.closeAfter);
  channel.send(reply, parts);
}

function onFrame(message, raw) {
  if (message.name === 'abort') running.get(message.args[0])?.abort(new Error('interrupted'));
  else void perform(message, raw);
}

const channel = new Channel(3, onFrame);

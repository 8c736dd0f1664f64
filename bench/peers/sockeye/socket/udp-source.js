// Each send is up to 64 KiB, cut into datagrams by the kernel (UDP_SEGMENT); with --each every
// datagram is a call and a promise of its own, as for messages that differ.
import { flag } from '../../control.js';
import { ASK_BYTES, countAnswer, parseRequest, REQUEST_BYTES } from '../../one-way.js';
import { bind } from '../bind.js';
import { need } from '../need.js';

const { IPPROTO_UDP, UDP_SEGMENT } = await need('@sockeye/net', 'IPPROTO_UDP', 'UDP_SEGMENT');
const MAX_SEND_BYTES = 65_000;
const MAX_SEGMENTS = 64;
// Sends under way at once; arbitrary, as Node's.
const WINDOW = 64;
const socket = bind();
let count = 0;

async function sendAll(request, remote) {
  const atOnce = Math.min(Math.floor(MAX_SEND_BYTES / request.size), MAX_SEGMENTS);
  const data = Buffer.alloc(atOnce * request.size, 'x');
  socket.setsockopt(IPPROTO_UDP, UDP_SEGMENT, request.size);
  for (let left = request.count; left > 0; ) {
    const now = Math.min(left, atOnce);
    await socket.sendto(data.subarray(0, now * request.size), remote);
    left -= now;
    count += now;
  }
}

async function sendEach(request, remote) {
  const data = Buffer.alloc(request.size, 'x');
  for (let left = request.count; left > 0; ) {
    const now = Math.min(left, WINDOW);
    await Promise.all(Array.from({ length: now }, () => socket.sendto(data, remote)));
    left -= now;
    count += now;
  }
}

const answer = flag('each') ? sendEach : sendAll;
for await (const [data, remote] of socket) {
  if (data.length === ASK_BYTES) void socket.sendto(countAnswer(count), remote);
  if (data.length === REQUEST_BYTES) void answer(parseRequest(data), remote);
}

// Several messages a call: of up to 64 KiB each, cut into datagrams by the kernel (UDP_SEGMENT), or
// with --each 64 datagrams, which are messages of their own.
import { flag } from '../../control.js';
import { ASK_BYTES, countAnswer, parseRequest, REQUEST_BYTES } from '../../one-way.js';
import { bind } from '../bind.js';
import { need, needMethods } from '../need.js';

const net = await need('@sockeye/net', 'Socket', 'IPPROTO_UDP', 'UDP_SEGMENT');
needMethods(net.Socket, 'sendmmsg');
const MAX_SEND_BYTES = 65_000;
const MAX_SEGMENTS = 64;
// Messages of 64 KiB a call: the send buffer holds many more. Arbitrary.
const LONG_MESSAGES = 8;
const socket = bind();
let count = 0;

/** Sends until so many datagrams have left; `messages` are of `atOnce` datagrams of `size` bytes. */
async function sendMessages(messages, size, atOnce, wanted) {
  let left = wanted;
  while (left >= atOnce) {
    const now = messages.slice(0, Math.floor(left / atOnce));
    const sent = (await socket.sendmmsg(now)) * atOnce;
    left -= sent;
    count += sent;
  }
  if (left === 0) return;
  const [{ data, address }] = messages;
  await socket.sendto(data.subarray(0, left * size), address);
  count += left;
}

async function answer({ count: wanted, size }, address) {
  const each = flag('each');
  const atOnce = each ? 1 : Math.min(Math.floor(MAX_SEND_BYTES / size), MAX_SEGMENTS);
  if (!each) socket.setsockopt(net.IPPROTO_UDP, net.UDP_SEGMENT, size);
  const data = Buffer.alloc(atOnce * size, 'x');
  const length = each ? MAX_SEGMENTS : LONG_MESSAGES;
  const messages = Array.from({ length }, () => ({ data, address }));
  await sendMessages(messages, size, atOnce, wanted);
}

for await (const [data, remote] of socket) {
  if (data.length === ASK_BYTES) void socket.sendto(countAnswer(count), remote);
  if (data.length === REQUEST_BYTES) void answer(parseRequest(data), remote);
}

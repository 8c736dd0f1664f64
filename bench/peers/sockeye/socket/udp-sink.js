import { flag, option } from '../../control.js';
import { ASK_BYTES, countAnswer } from '../../one-way.js';
import { bind } from '../bind.js';
import { need } from '../need.js';

const { IPPROTO_UDP, UDP_GRO } = await need('@sockeye/net', 'IPPROTO_UDP', 'UDP_GRO');
const socket = bind();
if (flag('gro')) socket.setsockopt(IPPROTO_UDP, UDP_GRO, true);
const largest = Number(option('size') ?? Infinity);
let count = 0;
for await (const [data, remote] of socket) {
  // A count of joined datagrams would be a figure of something else.
  if (data.length > largest) throw new Error('iteration hands over joined datagrams');
  if (data.length === ASK_BYTES) void socket.sendto(countAnswer(count), remote);
  else count += 1;
}

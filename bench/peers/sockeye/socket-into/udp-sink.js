import { flag } from '../../control.js';
import { ASK_BYTES, countAnswer } from '../../one-way.js';
import { bind } from '../bind.js';
import { need, needMethods } from '../need.js';

const net = await need('@sockeye/net', 'Socket', 'IPPROTO_UDP', 'UDP_GRO');
needMethods(net.Socket, 'recvmmsgInto');
const gro = flag('gro');
const [batch, size] = gro ? [16, 64 << 10] : [64, 2048];
const socket = bind();
if (gro) socket.setsockopt(net.IPPROTO_UDP, net.UDP_GRO, true);
const buffer = Buffer.alloc(batch * size);
let count = 0;

function take({ data, address, segmentSize }) {
  if (data.length === ASK_BYTES) void socket.sendto(countAnswer(count), address);
  else count += segmentSize === undefined ? 1 : Math.ceil(data.length / segmentSize);
}

for (;;) (await socket.recvmmsgInto(buffer, size)).forEach(take);

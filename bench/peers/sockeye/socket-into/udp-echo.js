import { bind } from '../bind.js';
import { need, needMethods } from '../need.js';

const { Socket } = await need('@sockeye/net', 'Socket');
needMethods(Socket, 'recvmmsg', 'sendmmsg');
const BATCH = 64;
const DATAGRAM_BYTES = 2048;
const socket = bind();
for (;;) await socket.sendmmsg(await socket.recvmmsg(BATCH, DATAGRAM_BYTES));

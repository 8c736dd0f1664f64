import { bind } from '../bind.js';
import { need, needMethods } from '../need.js';

const { Socket } = await need('@sockeye/net', 'Socket');
needMethods(Socket, 'recvmmsgInto', 'sendmmsg');
const BATCH = 64;
const DATAGRAM_BYTES = 2048;
const socket = bind();
const buffer = Buffer.alloc(BATCH * DATAGRAM_BYTES);
for (;;) await socket.sendmmsg(await socket.recvmmsgInto(buffer, DATAGRAM_BYTES));

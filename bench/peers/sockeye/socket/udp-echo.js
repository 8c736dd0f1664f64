import { bind } from '../bind.js';

const socket = bind();
for await (const [data, remote] of socket) void socket.sendto(data, remote);

import { bind } from './bind.js';

await bind((socket, data, remote) => void socket.send(data, remote));

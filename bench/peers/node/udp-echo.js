import { bind } from './bind.js';

bind((socket, data, remote) => socket.send(data, remote.port, remote.address));

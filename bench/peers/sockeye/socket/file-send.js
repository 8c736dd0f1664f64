import { option } from '../../control.js';
import { listen } from '../listen.js';
import { need, needMethods } from '../need.js';

const { Socket } = await need('@sockeye/net', 'Socket');
needMethods(Socket, 'sendfile');
const path = option('path');

await listen((connection) => connection.sendfile(path));

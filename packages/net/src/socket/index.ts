export { getdefaulttimeout, setdefaulttimeout } from './default-timeout.ts';
export { ifIndextoname, ifNameindex, ifNametoindex } from './interface-names.ts';
export { Socket, type SocketOptions, type WaitOptions } from './socket.ts';
export type { SocketItem } from './socket-iterator.ts';

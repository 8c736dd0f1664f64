export { SocketDuplex, type SocketStreamOptions } from './socket-duplex.ts';
export { WebStreams } from './web-streams.ts';

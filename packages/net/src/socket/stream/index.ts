export { SocketDuplex, type SocketStreamOptions } from './socket-duplex.ts';
export type { StreamSocket } from './stream-socket.ts';
export { TlsStream, type TlsStreamOptions } from './tls-stream.ts';
export { TlsTransport } from './tls-transport.ts';
export { WebStreams } from './web-streams.ts';

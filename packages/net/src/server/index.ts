export { AddressList } from './address-list.ts';
export type { Connection, DeadlineKind } from './connection.ts';
export { ConnectionLimit } from './connection-limit.ts';
export { ConnectionTimeoutError } from './connection-timeout-error.ts';
export { descriptorLimit } from '../socket/descriptor-limit.ts';
export { type ProxyHeaderSource, readProxyHeader } from './read-proxy-header.ts';
export { ownSocketFile } from './own-socket-file.ts';
export { proxyHeader, type ProxyHeader, ProxyProtocolError } from './proxy-protocol.ts';
export { serve, type ServeAddress } from './serve.ts';
export { type Handler, Server, type ServerEvents } from './server.ts';
export type { ServerLogger } from './server-log.ts';
export type { ServerCounters } from './server-metrics.ts';
export {
  type ProxyProtocolOptions,
  type ServerLimits,
  serverLimits,
  type ServerOptions,
} from './server-options.ts';
export { type ActivatedSocket, activatedSockets, notifySystemd } from './systemd.ts';
export { BaseRequestHandler } from './base-request-handler.ts';
export { BaseServer, type Received, type RequestHandling } from './base-server.ts';
export { type DatagramRequest, DatagramRequestHandler } from './datagram-request-handler.ts';
export { ForkingTCPServer } from './forking-tcp-server.ts';
export { ForkingUDPServer } from './forking-udp-server.ts';
export { ForkingUnixDatagramServer } from './forking-unix-datagram-server.ts';
export { ForkingUnixStreamServer } from './forking-unix-stream-server.ts';
export {
  type HandOver,
  type HandOverServer,
  handOver,
  type TakenOver,
  takeOver,
} from './hand-over.ts';
export type { HandlerServer, RequestHandler, RequestHandlerClass } from './request-handler.ts';
export type { RequestRunner, RunnerServer } from './request-runner.ts';
export { type BindAddress, SocketServer } from './socket-server.ts';
export type { SocketServerOptions } from './socket-server-options.ts';
export { StreamRequestHandler } from './stream-request-handler.ts';
export { TCPServer } from './tcp-server.ts';
export { ThreadingTCPServer } from './threading-tcp-server.ts';
export { ThreadingUDPServer } from './threading-udp-server.ts';
export { ThreadingUnixDatagramServer } from './threading-unix-datagram-server.ts';
export { ThreadingUnixStreamServer } from './threading-unix-stream-server.ts';
export { type SecureOptions, TlsAcceptor } from './tls-acceptor.ts';
export { UDPServer } from './udp-server.ts';
export { UnixDatagramServer } from './unix-datagram-server.ts';
export { UnixStreamServer } from './unix-stream-server.ts';
export { HandlerError } from './workers/handler-error.ts';
export type { ForkingOptions, ThreadingOptions } from './workers/worker-options.ts';

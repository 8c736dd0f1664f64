export type { Connection, DeadlineKind } from './connection.ts';
export { ConnectionTimeoutError } from './connection-timeout-error.ts';
export { proxyHeader, ProxyProtocolError } from './proxy-protocol.ts';
export { serve, type ServeAddress } from './serve.ts';
export { type Handler, Server, type ServerEvents } from './server.ts';
export type { ServerCounters } from './server-metrics.ts';
export type { ProxyProtocolOptions, ServerOptions } from './server-options.ts';
export { type ActivatedSocket, activatedSockets, notifySystemd } from './systemd.ts';

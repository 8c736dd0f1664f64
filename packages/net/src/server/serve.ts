import type { Address, AddressOf, InetAddress, UnixAddress } from '../address/index.ts';
import { invalidType } from '../errors/index.ts';
import { createServer, type FamilyOf, Socket } from '../socket/index.ts';
import { type Handler, Server } from './server.ts';
import { checkServerOptions, type ServerOptions } from './server-options.ts';

/** Where to listen: an address, or a socket that listens already (systemd's, a predecessor's). */
export type ServeAddress = InetAddress | UnixAddress | Socket<number>;

/** What a server's own address is, from where it was told to listen. */
export type ServedAddress<To extends ServeAddress> = To extends InetAddress | UnixAddress
  ? AddressOf<FamilyOf<To>>
  : To extends Socket<infer Family>
    ? AddressOf<Family>
    : Address;

/** A listening socket for an address; one that listens already is taken as it is. */
export function listen(address: ServeAddress, options: ServerOptions): Socket<number> {
  if (address instanceof Socket) return address;
  const { backlog, reusePort, dualstackIpv6 } = options;
  return createServer(address, { backlog, reusePort, dualstackIpv6 });
}

/**
 * Serves a stream address: `handler` runs for each connection, many at a time.
 *
 * A handler that throws ends its own connection only; the server's `error` event tells. Deadlines,
 * limits and their defaults are ServerOptions'.
 *
 * @returns a server that listens
 * @throws SocketError EADDRINUSE, EACCES, …; TypeError and RangeError for the options
 *
 * @example
 * await using server = await serve({ host: '127.0.0.1', port: 0 }, async (connection) => {
 *   for await (const chunk of connection) await connection.sendall(chunk);
 * });
 * assert.equal(server.connections, 0);
 */
export async function serve<To extends ServeAddress>(
  address: To,
  handler: Handler,
  options: ServerOptions = {},
): Promise<Server<ServedAddress<To>>> {
  if (typeof handler !== 'function') throw invalidType('handler', 'a function', handler);
  checkServerOptions(options);
  options.signal?.throwIfAborted();
  const listener = listen(address, options);
  try {
    return new Server(listener, handler, options);
  } catch (error) {
    if (listener !== address) listener.close();
    throw error;
  }
}

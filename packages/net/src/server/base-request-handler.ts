import type { InetAddress } from '../address/index.ts';
import type { HandlerServer, RequestHandler } from './request-handler.ts';

/**
 * A request in the making: extend it and write `handle`. The server makes one for each request and
 * calls `setup`, `handle` and `finish`, each of which may be async; `finish` runs whatever `handle`
 * does, and not when `setup` failed. What they throw goes to the server's `handleError`.
 *
 * Source: Python's socketserver.BaseRequestHandler.
 *
 * @example
 * class Hello extends BaseRequestHandler<Socket<number>> {
 *   override handle() {
 *     return this.request.sendall(Buffer.from('hello\n'));
 *   }
 * }
 * await using server = new TCPServer({ host: '127.0.0.1', port: 0 }, Hello);
 * const serving = server.serveForever();
 * using client = await createConnection(server.serverAddress);
 * assert.equal((await client.recv(100)).toString(), 'hello\n');
 * await server.shutdown();
 * await serving;
 */
export class BaseRequestHandler<Request = unknown, ClientAddress = InetAddress>
  implements RequestHandler
{
  /** A Socket; of a datagram server the data and the socket to answer with. */
  readonly request: Request;
  readonly clientAddress: ClientAddress;
  readonly server: HandlerServer;

  constructor(request: Request, clientAddress: ClientAddress, server: HandlerServer) {
    this.request = request;
    this.clientAddress = clientAddress;
    this.server = server;
  }

  setup(): Promise<void> | void {
    // A request needs no preparation by itself.
  }

  handle(): Promise<void> | void {
    // Nor does it do anything.
  }

  finish(): Promise<void> | void {
    // Nor does it leave anything.
  }
}

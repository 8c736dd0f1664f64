import type { Address, InetAddress } from '../address/index.ts';
import { ECONNABORTED, SOMAXCONN } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { descriptorOf } from '../socket/socket.ts';
import type { Received, RequestHandling } from './base-server.ts';
import { endStream } from './end-stream.ts';
import { type BindAddress, SocketServer } from './socket-server.ts';
import type { SocketServerOptions } from './socket-server-options.ts';
import { StreamDeadlines } from './stream-deadlines.ts';

/**
 * A server of stream connections: each is a request, its handler's `request` the Socket. Handlers
 * run many at a time on this thread; the option `concurrency: 1` is Python's one after the other.
 *
 * `addressFamily`, `requestQueueSize`, `allowReuseAddress`, `allowReusePort` and `timeout` are
 * static, as Python's class variables: `static override requestQueueSize = 50`.
 *
 * Source: Python's socketserver.TCPServer.
 *
 * @example
 * class Greeter extends StreamRequestHandler {
 *   override async handle() {
 *     const name = await this.rfile.readline();
 *     await this.wfile.write(Buffer.from(`hello ${name}`));
 *   }
 * }
 * await using server = new TCPServer({ host: '127.0.0.1', port: 0 }, Greeter);
 * const serving = server.serveForever();
 * using client = await createConnection(server.serverAddress);
 * await client.sendall(Buffer.from('world\n'));
 * assert.equal((await client.recv(100)).toString(), 'hello world\n');
 * await server.shutdown();
 * await serving;
 */
export class TCPServer<ServerAddress extends Address = InetAddress> extends SocketServer<
  Socket<number>,
  ServerAddress
> {
  /**
   * Connections that may wait to be accepted. Python's 5 had the seventh of clients that come
   * together wait for a second: the kernel drops its SYN, and the client sends it again after that.
   */
  static requestQueueSize: number = SOMAXCONN;

  requestQueueSize: number;
  #deadlines: StreamDeadlines;
  #listensWith: number | undefined;

  /** Binds and listens, unless `bindAndActivate` is false or `address` is a listening Socket. */
  constructor(
    address: BindAddress<ServerAddress>,
    RequestHandlerClass: RequestHandling<Socket<number>>,
    options: SocketServerOptions = {},
  ) {
    super(address, RequestHandlerClass, options);
    this.requestQueueSize = options.backlog ?? new.target.requestQueueSize;
    this.#deadlines = new StreamDeadlines(this.limits);
    this.bindAndActivate(address, options);
  }

  override serverActivate(): void {
    this.socket.listen(this.requestQueueSize);
    this.#listensWith = this.requestQueueSize;
  }

  override serveForever(pollInterval?: number): Promise<void> {
    // A field of a subclass is set after this class's constructor; listen(2) may be called again.
    const isLate = this.#listensWith !== undefined && this.#listensWith !== this.requestQueueSize;
    if (isLate) this.serverActivate();
    return super.serveForever(pollInterval);
  }

  override getRequest(): Promise<Received<Socket<number>>> | Received<Socket<number>> {
    return this.socket.accept(this.waitOptions);
  }

  override finishRequest(request: Socket<number>, clientAddress: Address | null): Promise<void> {
    // Elsewhere somebody else watches: the connection has left this thread.
    if (this.RequestHandlerClass === null) return super.finishRequest(request, clientAddress);
    return this.#deadlines.watch(request, clientAddress, () =>
      super.finishRequest(request, clientAddress),
    );
  }

  override async shutdownRequest(request: Socket<number>): Promise<void> {
    await endStream(request);
    await this.closeRequest(request);
  }

  override closeRequest(request: Socket<number>): Promise<void> | void {
    request.close();
  }

  /** Files that the handler has open would keep the descriptor. */
  protected override abortRequest(request: Socket<number>): void {
    const descriptor = descriptorOf(request);
    if (descriptor.closed) return;
    const reason = `closed by the server: not done ${this.limits.drainTimeoutMs} ms after serverClose()`;
    descriptor.close(new SocketError('connection', ECONNABORTED, { reason }));
  }
}

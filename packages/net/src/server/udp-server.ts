import type { Address, InetAddress } from '../address/index.ts';
import { MSG_TRUNC, SOCK_DGRAM } from '../constants/index.ts';
import { outOfRange } from '../errors/index.ts';
import type { Received, RequestHandling } from './base-server.ts';
import type { DatagramRequest } from './datagram-request-handler.ts';
import { type BindAddress, SocketServer } from './socket-server.ts';
import type { SocketServerOptions } from './socket-server-options.ts';

/**
 * A server of datagrams: each is a request, its handler's `request` the data and the socket.
 *
 * Source: Python's socketserver.UDPServer.
 *
 * @example
 * class Echo extends BaseRequestHandler<DatagramRequest> {
 *   override async handle() {
 *     const [data, socket] = this.request;
 *     await socket.sendto(data, this.clientAddress);
 *   }
 * }
 * await using server = new UDPServer({ host: '127.0.0.1', port: 0 }, Echo);
 * const serving = server.serveForever();
 * using client = new Socket(AF_INET, SOCK_DGRAM);
 * await client.sendto(Buffer.from('ping'), server.serverAddress);
 * assert.equal((await client.recv(100)).toString(), 'ping');
 * await server.shutdown();
 * await serving;
 */
export class UDPServer<ServerAddress extends Address = InetAddress> extends SocketServer<
  DatagramRequest,
  ServerAddress
> {
  static override socketType: number = SOCK_DGRAM;
  // Python's UDPServer has its own, so that TCPServer's can be changed alone.
  static override allowReuseAddress = false;
  static override allowReusePort = false;
  /** Room for a datagram in bytes; the rest of a longer one is lost, with a warning once. */
  static maxPacketSize = 8192;

  maxPacketSize: number;
  #hasWarned = false;

  /** Binds, unless `bindAndActivate` is false or `address` is a bound Socket. */
  constructor(
    address: BindAddress<ServerAddress>,
    RequestHandlerClass: RequestHandling<DatagramRequest>,
    options: SocketServerOptions = {},
  ) {
    super(address, RequestHandlerClass, options);
    this.maxPacketSize = new.target.maxPacketSize;
    this.bindAndActivate(address, options);
  }

  override async getRequest(): Promise<Received<DatagramRequest>> {
    const size = this.maxPacketSize;
    if (!Number.isInteger(size) || size < 1) throw outOfRange('maxPacketSize', 'at least 1', size);
    const { data, flags, address } = await this.socket.recvmsg(size, 0, 0, this.waitOptions);
    if ((flags & (MSG_TRUNC as number)) !== 0) this.#warnOfCut();
    return [[data, this.socket], address];
  }

  #warnOfCut(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(
      `a datagram was cut to maxPacketSize, ${this.maxPacketSize} bytes; further ones are not reported`,
      { type: 'SockeyeServerWarning', code: 'SOCKEYE_DATAGRAM_CUT' },
    );
  }
}

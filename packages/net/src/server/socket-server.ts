import type { Address, InetAddress } from '../address/index.ts';
import { isNumericHost } from '../address/index.ts';
import {
  AF_INET,
  AF_INET6,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../constants/index.ts';
import { Socket } from '../socket/index.ts';
import { BaseServer, type RequestHandling } from './base-server.ts';
import { ownSocketFile } from './own-socket-file.ts';
import type { SocketServerOptions } from './socket-server-options.ts';

/** Where a server is to listen: an address, or a socket that is bound already. */
export type BindAddress<ServerAddress> = ServerAddress | Socket<number>;

/** A server over a socket that it binds: what stream and datagram servers share. */
export abstract class SocketServer<
  Request,
  ServerAddress extends Address = InetAddress,
> extends BaseServer<Request, ServerAddress> {
  // Python's class variables: an instance starts with its class's values.

  /** AF_INET unless a subclass says otherwise; AF_INET6 for a numeric IPv6 address. */
  static addressFamily: number = AF_INET;
  static socketType: number = SOCK_STREAM;
  /** Whether the port may be bound where a connection of before lingers (SO_REUSEADDR). */
  static allowReuseAddress = false;
  /** Whether others may listen on the same port (SO_REUSEPORT). */
  static allowReusePort = false;

  readonly socket: Socket<number>;
  readonly addressFamily: number;
  readonly socketType: number;
  allowReuseAddress: boolean;
  allowReusePort: boolean;
  #removeFile: () => void = () => undefined;
  #boundWith: { allowReuseAddress: boolean; allowReusePort: boolean } | undefined;

  /**
   * @throws SocketError EADDRINUSE, EACCES, …; TypeError and RangeError for the address and the
   *   options; no socket is left open then
   */
  constructor(
    address: BindAddress<ServerAddress>,
    handling: RequestHandling<Request>,
    options: SocketServerOptions = {},
  ) {
    const bound = address instanceof Socket;
    super(bound ? (address.getsockname() as ServerAddress) : address, handling, options);
    this.addressFamily = bound ? address.family : familyFor(new.target.addressFamily, address);
    this.socketType = bound ? address.type : new.target.socketType;
    this.allowReuseAddress = options.allowReuseAddress ?? new.target.allowReuseAddress;
    this.allowReusePort = options.reusePort ?? new.target.allowReusePort;
    this.socket = bound ? address : new Socket<number>(this.addressFamily, this.socketType);
    if (bound) this.#noteFile();
  }

  /** What subclasses' constructors end with. */
  protected bindAndActivate(address: unknown, options: SocketServerOptions): void {
    if (address instanceof Socket || options.bindAndActivate === false) return;
    try {
      this.serverBind();
      this.serverActivate();
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /** Called by the constructor to bind the socket. `serverAddress` is then what the kernel says. */
  serverBind(): void {
    if (this.allowReuseAddress) this.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (this.allowReusePort) this.socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    this.socket.bind(this.serverAddress);
    this.serverAddress = this.socket.getsockname() as ServerAddress;
    const { allowReuseAddress, allowReusePort } = this;
    this.#boundWith = { allowReuseAddress, allowReusePort };
    this.#noteFile();
  }

  #noteFile(): void {
    this.#removeFile = ownSocketFile(this.serverAddress);
  }

  override serveForever(pollInterval?: number): Promise<void> {
    this.#checkBound();
    return super.serveForever(pollInterval);
  }

  /** Fields of a subclass are set when its base's constructor has bound already; Python's aren't. */
  #checkBound(): void {
    for (const name of ['allowReuseAddress', 'allowReusePort'] as const) {
      if (this.#boundWith === undefined || this.#boundWith[name] === this[name]) continue;
      process.emitWarning(
        `${name} was set after the server was bound, and has no effect; make it static, or an option`,
        { type: 'SockeyeServerWarning', code: 'SOCKEYE_SET_TOO_LATE' },
      );
    }
  }

  /** The socket, by the name that `handOver` knows. */
  get listener(): Socket<number> {
    return this.socket;
  }

  /**
   * Takes no more requests and closes the socket; what is being handled goes on.
   *
   * @param keepPath leave a Unix socket's file, since another process has the socket now
   */
  stopListening({ keepPath = false }: { keepPath?: boolean } = {}): void {
    if (this.socket.closed) return;
    this.socket.close();
    if (!keepPath) this.#removeFile();
  }

  override serverClose(): Promise<void> {
    this.stopListening();
    return super.serverClose();
  }
}

/** AF_INET can't bind an IPv6 address: who gives one means the other family. */
function familyFor(family: number, address: unknown): number {
  const { host } = (address ?? {}) as { host?: unknown };
  const isIpv6 = typeof host === 'string' && host !== '' && isNumericHost(AF_INET6, host);
  return family === AF_INET && isIpv6 ? AF_INET6 : family;
}

import type { InetAddress } from '../address/index.ts';
import { IPPROTO_TCP, TCP_NODELAY } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { type Socket, SocketFile } from '../socket/index.ts';
import { BaseRequestHandler } from './base-request-handler.ts';

/**
 * A handler that reads its connection as a file and writes it as one.
 *
 * Fields that a subclass sets apply in `setup`: `rbufsize`, `wbufsize`, `timeout`,
 * `disableNagleAlgorithm`.
 *
 * Source: Python's socketserver.StreamRequestHandler.
 *
 * @example
 * class Echo extends StreamRequestHandler {
 *   override async handle() {
 *     for await (const line of this.rfile) await this.wfile.write(line);
 *   }
 * }
 * await using server = new TCPServer({ host: '127.0.0.1', port: 0 }, Echo);
 * const serving = server.serveForever();
 * using client = await createConnection(server.serverAddress);
 * await client.sendall(Buffer.from('line\n'));
 * assert.equal((await client.recv(100)).toString(), 'line\n');
 * await server.shutdown();
 * await serving;
 */
export class StreamRequestHandler<ClientAddress = InetAddress> extends BaseRequestHandler<
  Socket<number>,
  ClientAddress
> {
  /** Bytes of the buffer for reading; -1 is the default size, 0 is none. */
  rbufsize = -1;
  /** Bytes of the buffer for writing; 0 (the default) sends all of each write at once. */
  wbufsize = 0;
  /** The connection's timeout in seconds, null to leave it as it is. */
  timeout: number | null = null;
  /** Sets TCP_NODELAY: small writes leave at once. */
  disableNagleAlgorithm = false;
  /** The request, by its other name. */
  connection!: Socket<number>;
  rfile!: SocketFile;
  wfile!: SocketFile;

  override setup(): Promise<void> | void {
    this.connection = this.request;
    if (this.timeout !== null) this.connection.settimeout(this.timeout);
    if (this.disableNagleAlgorithm) this.connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
    this.rfile = this.connection.makefile('rb', { buffering: this.rbufsize });
    this.wfile =
      this.wbufsize === 0
        ? wholeWriter(this.connection)
        : this.connection.makefile('wb', { buffering: this.wbufsize });
  }

  override async finish(): Promise<void> {
    try {
      await this.wfile.close();
    } catch (error) {
      // The peer may be gone by now; that is no fault of the handler.
      if (!(error instanceof SocketError)) throw error;
    } finally {
      await this.rfile.close();
    }
  }
}

/** A file without a buffer whose writes send everything, where `makefile`'s send what one send takes. */
function wholeWriter(connection: Socket<number>): SocketFile {
  const socket = {
    recvInto: connection.recvInto.bind(connection),
    recvIntoSync: connection.recvIntoSync.bind(connection),
    async send(data: Uint8Array, flags: number, options: { signal?: AbortSignal | undefined }) {
      await connection.sendall(data, flags, options);
      return data.length;
    },
    sendSync(data: Uint8Array, flags: number) {
      connection.sendallSync(data, flags);
      return data.length;
    },
    fileno: () => connection.fileno(),
  };
  return new SocketFile(socket, 'wb', { buffering: 0 }, () => undefined);
}

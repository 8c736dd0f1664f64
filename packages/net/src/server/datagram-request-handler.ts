import type { AddressInput, InetAddress } from '../address/index.ts';
import { type Socket, SocketFile } from '../socket/index.ts';
import { BaseRequestHandler } from './base-request-handler.ts';

/** The request of a datagram server: the datagram and the server's socket. */
export type DatagramRequest = [data: Buffer, socket: Socket<number>];

/**
 * A handler that reads one datagram as a file and writes the answer as another, which `finish`
 * sends, empty or not.
 *
 * Source: Python's socketserver.DatagramRequestHandler.
 *
 * @example
 * class Upper extends DatagramRequestHandler {
 *   override async handle() {
 *     await this.wfile.write(Buffer.from(this.packet.toString().toUpperCase()));
 *   }
 * }
 * await using server = new UDPServer({ host: '127.0.0.1', port: 0 }, Upper);
 * const serving = server.serveForever();
 * using client = new Socket(AF_INET, SOCK_DGRAM);
 * await client.sendto(Buffer.from('hello'), server.serverAddress);
 * assert.equal((await client.recv(100)).toString(), 'HELLO');
 * await server.shutdown();
 * await serving;
 */
export class DatagramRequestHandler<ClientAddress = InetAddress> extends BaseRequestHandler<
  DatagramRequest,
  ClientAddress
> {
  packet!: Buffer;
  socket!: Socket<number>;
  rfile!: SocketFile;
  wfile!: SocketFile;
  #answer: Buffer[] = [];

  override setup(): Promise<void> | void {
    [this.packet, this.socket] = this.request;
    this.rfile = this.#file('rb');
    this.wfile = this.#file('wb');
  }

  override async finish(): Promise<void> {
    await this.wfile.close();
    await this.rfile.close();
    const answer = Buffer.concat(this.#answer);
    await this.socket.sendto(answer, this.clientAddress as unknown as AddressInput);
  }

  /** A file over the datagram and the answer, as a stream has one over its socket. */
  #file(mode: 'rb' | 'wb'): SocketFile {
    let unread = this.packet;
    const recvIntoSync = (buffer: Uint8Array, size: number): number => {
      const count = unread.copy(buffer, 0, 0, size);
      unread = unread.subarray(count);
      return count;
    };
    const sendSync = (data: Uint8Array): number =>
      this.#answer.push(Buffer.from(data)) && data.length;
    const memory = {
      recvIntoSync,
      recvInto: (buffer: Uint8Array, size: number) => Promise.resolve(recvIntoSync(buffer, size)),
      sendSync,
      send: (data: Uint8Array) => Promise.resolve(sendSync(data)),
      fileno: () => -1,
    };
    const buffering = mode === 'wb' ? 0 : -1;
    return new SocketFile(memory, mode, { buffering }, () => undefined);
  }
}

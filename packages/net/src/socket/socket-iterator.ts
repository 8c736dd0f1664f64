import type { AddressOf } from '../address/index.ts';
import { SO_ACCEPTCONN, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Datagram } from './next-datagram.ts';
import { SCRATCH_BYTES } from './scratch.ts';
import type { Socket } from './socket.ts';

/** What a socket's iteration yields: connections, chunks or messages. */
export type SocketItem<Family extends number> =
  | [Socket<Family>, AddressOf<Family>]
  | Buffer
  | [Buffer, AddressOf<Family> | null];

/** Where a UDP socket's iteration gets its datagrams. */
export interface DatagramSteps<Family extends number> {
  /** One that was received ahead and that nobody before waits for. */
  takeNow(): Datagram<AddressOf<Family>> | undefined;
  wait(): Promise<Datagram<AddressOf<Family>>>;
}

/** Iterates a socket until its stream ends or it is closed. */
export class SocketIterator<Family extends number>
  implements AsyncIterableIterator<SocketItem<Family>>
{
  #socket: Socket<Family>;
  #datagrams: DatagramSteps<Family> | undefined;
  #take: (() => Promise<SocketItem<Family>>) | undefined;

  /** @param datagrams how a UDP socket's datagrams come, which may be several at once */
  constructor(socket: Socket<Family>, datagrams?: DatagramSteps<Family>) {
    this.#socket = socket;
    this.#datagrams = datagrams;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<SocketItem<Family>>> {
    if (this.#socket.closed) return Promise.resolve({ done: true, value: undefined });
    const ahead = this.#datagrams?.takeNow();
    if (ahead !== undefined) return Promise.resolve({ done: false, value: ahead });
    this.#take ??= this.#kind();
    return this.#take().then(toResult, (error: unknown) => this.#ended(error));
  }

  return(): Promise<IteratorResult<SocketItem<Family>>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  #kind(): () => Promise<SocketItem<Family>> {
    const socket = this.#socket;
    const datagrams = this.#datagrams;
    if (datagrams !== undefined) return () => datagrams.wait();
    if (isListening(socket)) return () => socket.accept();
    if (socket.type === SOCK_STREAM || socket.type === SOCK_SEQPACKET)
      return () => socket.recv(SCRATCH_BYTES);
    return () => socket.recvfrom(SCRATCH_BYTES);
  }

  /** A loop whose socket is closed under it is over; every other failure is the loop's. */
  #ended(error: unknown): IteratorResult<SocketItem<Family>> {
    if (this.#socket.closed && error instanceof SocketError && error.code === 'EBADF') {
      return { done: true, value: undefined };
    }
    throw error;
  }
}

function toResult<Item>(value: Item): IteratorResult<Item> {
  // Only a connection yields bare Buffers, and its end is an empty one.
  if (Buffer.isBuffer(value) && value.length === 0) return { done: true, value: undefined };
  return { done: false, value };
}

function isListening<Family extends number>(socket: Socket<Family>): boolean {
  try {
    return socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN) !== 0;
  } catch {
    return false;
  }
}

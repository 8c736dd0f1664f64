import type { AddressOf } from '../address/index.ts';
import { SO_ACCEPTCONN, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import type { Datagram } from './next-datagram.ts';
import { START } from './operation.ts';
import { ITERATION_END, ReceiveChunk } from './receive-chunk.ts';
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

type Item<Family extends number> = IteratorResult<SocketItem<Family>, undefined>;

/** Iterates a socket until its stream ends or it is closed. */
export class SocketIterator<Family extends number>
  implements AsyncIterableIterator<SocketItem<Family>>
{
  #socket: Socket<Family>;
  #descriptor: Descriptor;
  #datagrams: DatagramSteps<Family> | undefined;
  /** What a loop over a connection does again and again. */
  #chunk: ReceiveChunk | undefined;
  /** Whether it is a listener; unknown until the loop begins. */
  #listens: boolean | undefined;

  /** @param datagrams how a UDP socket's datagrams come, which may be several at once */
  constructor(socket: Socket<Family>, descriptor: Descriptor, datagrams?: DatagramSteps<Family>) {
    this.#socket = socket;
    this.#descriptor = descriptor;
    this.#datagrams = datagrams;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Item<Family>> {
    const socket = this.#socket;
    if (socket.closed) return Promise.resolve(ITERATION_END);
    const ahead = this.#datagrams?.takeNow();
    if (ahead !== undefined) return Promise.resolve({ done: false, value: ahead });
    if (this.#listens === undefined) this.#begin();
    if (this.#chunk !== undefined) return socket[START](this.#chunk);
    return this.#take().then(toResult, (error: unknown) => this.#ended(error));
  }

  #take(): Promise<SocketItem<Family>> {
    if (this.#datagrams !== undefined) return this.#datagrams.wait();
    return this.#listens ? this.#socket.accept() : this.#socket.recvfrom(SCRATCH_BYTES);
  }

  return(): Promise<Item<Family>> {
    return Promise.resolve(ITERATION_END);
  }

  #begin(): void {
    const { type } = this.#socket;
    this.#listens = isListening(this.#socket);
    if (!this.#listens && (type === SOCK_STREAM || type === SOCK_SEQPACKET)) {
      this.#chunk = new ReceiveChunk(this.#descriptor, ITERATION_END);
    }
  }

  /** A loop whose socket is closed under it is over; every other failure is the loop's. */
  #ended(error: unknown): IteratorReturnResult<undefined> {
    if (this.#socket.closed && error instanceof SocketError && error.code === 'EBADF') {
      return ITERATION_END;
    }
    throw error;
  }
}

function toResult<Value>(value: Value): IteratorYieldResult<Value> {
  return { done: false, value };
}

function isListening<Family extends number>(socket: Socket<Family>): boolean {
  try {
    return socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN) !== 0;
  } catch {
    return false;
  }
}

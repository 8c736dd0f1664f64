import type { AddressOf } from '../address/index.ts';
import { SO_ACCEPTCONN, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import type { Datagram } from './next-datagram.ts';
import { START } from './operation.ts';
import { type ChunkResult, ITERATION_END, ReceiveChunk } from './receive-chunk.ts';
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

/**
 * Iterates a socket until its stream ends or it is closed. Over a connection it is itself the operation
 * that it does again and again.
 */
export class SocketIterator<Family extends number>
  extends ReceiveChunk
  implements AsyncIterableIterator<SocketItem<Family>>
{
  #socket: Socket<Family>;
  #datagrams: DatagramSteps<Family> | undefined;
  /** What it does again and again; unknown until the loop begins. */
  #step: 'accept' | 'chunk' | 'message' | undefined;

  /** @param datagrams how a UDP socket's datagrams come, which may be several at once */
  constructor(socket: Socket<Family>, descriptor: Descriptor, datagrams?: DatagramSteps<Family>) {
    super(descriptor);
    this.#socket = socket;
    this.#datagrams = datagrams;
  }

  override get owner(): object {
    return this.#socket;
  }

  override get whenClosed(): ChunkResult {
    return ITERATION_END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Item<Family>> {
    const socket = this.#socket;
    if (socket.closed) return Promise.resolve(ITERATION_END);
    const ahead = this.#datagrams?.takeNow();
    if (ahead !== undefined) return Promise.resolve({ done: false, value: ahead });
    this.#step ??= stepOf(socket);
    if (this.#step === 'chunk') return socket[START](this);
    return SocketIterator.#take(this).then(toResult, (error: unknown) => ended(socket, error));
  }

  // Static: with a private method of its own an object takes a word more.
  static #take<Of extends number>(iterator: SocketIterator<Of>): Promise<SocketItem<Of>> {
    if (iterator.#datagrams !== undefined) return iterator.#datagrams.wait();
    const socket = iterator.#socket;
    return iterator.#step === 'accept' ? socket.accept() : socket.recvfrom(SCRATCH_BYTES);
  }

  return(): Promise<Item<Family>> {
    return Promise.resolve(ITERATION_END);
  }
}

/** A loop whose socket is closed under it is over; every other failure is the loop's. */
function ended(socket: { readonly closed: boolean }, error: unknown): typeof ITERATION_END {
  if (socket.closed && error instanceof SocketError && error.code === 'EBADF') return ITERATION_END;
  throw error;
}

function toResult<Value>(value: Value): IteratorYieldResult<Value> {
  return { done: false, value };
}

function stepOf<Family extends number>(socket: Socket<Family>): 'accept' | 'chunk' | 'message' {
  if (isListening(socket)) return 'accept';
  return socket.type === SOCK_STREAM || socket.type === SOCK_SEQPACKET ? 'chunk' : 'message';
}

function isListening<Family extends number>(socket: Socket<Family>): boolean {
  try {
    return socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN) !== 0;
  } catch {
    return false;
  }
}
